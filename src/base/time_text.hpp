#pragma once

#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/result.hpp"

namespace slipway {

/// RFC 3339, UTC, milliseconds: "2026-11-22T11:58:03.120Z".
std::string to_rfc3339(WallTime time);

/// RFC 3339 with any zone and up to nine digits of fraction (milliseconds are kept). A zone is required.
Result<WallTime> parse_rfc3339(std::string_view text);

/// "0.3 s", "2 m 5 s", "3 h 10 m", "4 d 2 h": for people.
std::string to_human(milliseconds duration);

}  // namespace slipway
