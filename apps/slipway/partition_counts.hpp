#pragma once

#include <optional>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "messages/topics.hpp"
#include "ports/bus.hpp"
#include "ports/repository.hpp"

namespace slipway {

/// Topics whose partition count is not the recorded one: each an Error `kafka.partitions_changed` (kConflict)
/// whose hint says how to accept it.
struct ChangedCounts {
  std::optional<Error> refused;  ///< machine.stats: the server must not start
  std::vector<Error> warned;     ///< the others
};

/// Records how many partitions each of the server's topics has on this Kafka cluster, and compares with what
/// was recorded before. A record is never overwritten while the cluster is the same: who accepts a change
/// removes it. kUnavailable if a topic has no leader yet, or a peer does not answer.
Result<ChangedCounts> check_partition_counts(ports::Bus& bus, ports::Repository& repository,
                                             const Clock& clock, const messages::Topics& topics);

}  // namespace slipway
