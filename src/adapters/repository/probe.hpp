#pragma once

#include "adapters/repository/connection.hpp"
#include "base/result.hpp"

namespace slipway::repository {

/// Tries, in a collection of its own that it drops again, what everything here rests on: unique ids, one
/// winner of a race for a conditional update, TTL and sparse indexes. kInvalid "repository.unfit" names the
/// first promise that the server breaks.
Status probe(const Connection& connection);

}  // namespace slipway::repository
