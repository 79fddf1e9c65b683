#pragma once

#include <memory>
#include <string>

#include "base/clock.hpp"
#include "base/log.hpp"
#include "base/result.hpp"
#include "ports/repository.hpp"

namespace slipway::repository {

struct RepositorySettings {
  std::string uri;  ///< mongodb://...; may hold a password: never printed
  std::string database = "slipway";
  milliseconds server_selection{5'000};
  milliseconds socket{10'000};
  int connections = 32;  ///< at most, shared by all threads
};

/// Connects to MongoDB, makes sure that the server keeps the promises that everything here rests on (atomic
/// conditional updates under a small race, unique ids, TTL indexes), and creates the indexes.
/// Fails as kUnavailable while the server does not answer, kDenied where it refuses us, kInvalid with
/// "repository.unfit" where it breaks one of the promises. Writes are on a majority and in its journal when
/// they return; an answer that got lost is kUnknown and never retried silently. `clock` and `log` outlive it.
Result<std::unique_ptr<ports::Repository>> open_repository(const RepositorySettings& settings, Clock& clock,
                                                           const Log& log);

}  // namespace slipway::repository
