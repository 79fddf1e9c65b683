#pragma once

#include <nlohmann/json_fwd.hpp>

#include "base/result.hpp"
#include "ports/http.hpp"

namespace slipway::gateway {

/// The HTTP status that says what the caller can do about it.
int http_status(const Error& error);

/// application/problem+json (RFC 9457) with our stable `code`, `kind`, `where` and `hint`.
ports::HttpReply problem(const Error& error);

ports::HttpReply json_reply(const nlohmann::json& value);

/// A failure of a store or of the bus as the caller should see it: if the peer did not answer, the code names
/// the peer (`repository.unreachable`, `kafka.unreachable`); anything else stays.
Error of_repository(Error error);
Error of_kafka(Error error);

}  // namespace slipway::gateway
