#pragma once

#include <cstddef>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace slipway::messages {

/// Messages are small; code travels in the Repository.
inline constexpr std::size_t kMaxMessageBytes = 256 * 1024;

/// JSON as RFC 8259 has it, at most kMaxMessageBytes, 32 levels deep and 20,000 values; no duplicate keys, no
/// BOM, valid UTF-8. Errors (kInvalid): json.syntax, json.duplicate_key, json.too_deep, json.too_large,
/// json.utf8, with `where` = "line:column".
Result<nlohmann::json> parse_strict_json(std::string_view text);

/// Compact; invalid UTF-8 is replaced, never thrown on.
std::string dump(const nlohmann::json& value);

}  // namespace slipway::messages
