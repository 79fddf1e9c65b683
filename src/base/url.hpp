#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace slipway {

/// Percent-encodes everything but unreserved characters (RFC 3986, 2.3) and those in `keep`.
std::string percent_encode(std::string_view text, std::string_view keep = {});

/// Undoes percent-encoding ('+' stays '+'). kInvalid `http.target` for a broken escape, a control character
/// or bytes that are not UTF-8.
Result<std::string> percent_decode(std::string_view text);

/// The target of an HTTP request in origin form, decoded.
struct Target {
  std::string path;  ///< begins with '/'
  std::map<std::string, std::string> query;
};

/// kInvalid `http.target` for anything but origin form, for a parameter that comes twice, for over 64 of
/// them, and for what percent_decode refuses.
Result<Target> parse_target(std::string_view text);

}  // namespace slipway
