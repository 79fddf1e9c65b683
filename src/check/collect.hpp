#pragma once

#include <stop_token>
#include <string>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "check/snapshot.hpp"
#include "messages/topics.hpp"
#include "ports/bus.hpp"
#include "ports/engine.hpp"

namespace slipway::check {

/// Where the snapshot comes from. All are only read.
struct Sources {
  ports::Repository& repository;
  ports::Bus& bus;
  ports::Engines& engines;
  Clock& clock;
  messages::Topics topics;
  std::string instance;  ///< the instance label of our containers
};

/// Memory is bounded by what it keeps: a thousand deployments and those that are open, and their messages. An
/// Engine that does not answer is part of the snapshot; a Repository or Kafka that does not is an Error.
Result<Snapshot> collect(const Sources& sources, const std::stop_token& stop);

/// The part of one machine; `lanes` and `releases` say which images it needs.
MachineLook look_at_machine(const Sources& sources, const messages::Machine& machine,
                            const Snapshot& snapshot);
/// What is stored of its last minutes.
Result<StoredSamples> read_samples(const Sources& sources, const messages::Machine& machine);

/// Reads the status topic from its beginning to its present end into `told`. Request ids that are not in
/// `deployments`, from messages after `since`, come back: at most a thousand.
Result<std::set<std::string>> read_status_topic(const Sources& sources, WallTime since, Snapshot& snapshot,
                                                const std::stop_token& stop);

}  // namespace slipway::check
