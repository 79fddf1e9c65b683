#pragma once

#include "adapters/repository/connection.hpp"
#include "base/result.hpp"

namespace slipway::repository {

/// Of all documents in a database together; raised when an older server could no longer read or would harm
/// what a newer one writes: docs/decisions/0013.
inline constexpr int kFormat = 1;

/// Marks the database with our format; kInvalid "repository.newer" where it bears a later one.
Status claim_format(const Connection& connection);

}  // namespace slipway::repository
