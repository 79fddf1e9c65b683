#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/result.hpp"

namespace slipway::health_probe {

/// What is asked: does something listen on a port of this network namespace, and does it answer well?
struct Check {
  enum class Kind { kHttp, kTcp };
  Kind kind = Kind::kTcp;
  std::uint16_t port = 0;
  std::string path = "/";  ///< of an HTTP check
};

/// The status code of an HTTP/1 answer's first line; corrupt if it is none.
Result<int> parse_status_line(std::string_view line);

/// Asks once, on 127.0.0.1 and then ::1. Success: connected (tcp), or a status from 200 to 399 (http). The
/// error's message is for people and names no time, so that the same failure has the same text each time.
Status ask(const Check& check, Clock& clock, milliseconds timeout);

}  // namespace slipway::health_probe
