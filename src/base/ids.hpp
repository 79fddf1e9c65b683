#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.hpp"

namespace slipway {

std::uint64_t random_u64();

/// `prefix` + a ULID (26 characters, Crockford base 32: 48 bits of time, 80 random): sorts by time, never
/// collides in practice even if the clock goes back. Example: make_id("r-", now) -> "r-01KAQ2...".
std::string make_id(std::string_view prefix, WallTime now);

/// A random (version 4) UUID: CloudEvents ids.
std::string make_uuid();

/// How an id is shown to people: "d-" and the last four characters in lower case ("d-7f3k").
std::string short_id(std::string_view request_id);

}  // namespace slipway
