#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "messages/machine.hpp"
#include "ports/container.hpp"
#include "ports/repository.hpp"

namespace slipway::check {

/// One status message as it is on Kafka; said twice, it is here once.
struct Told {
  std::int64_t seq = 0;
  messages::Stage stage = messages::Stage::kAccepted;
  messages::State state = messages::State::kRunning;
  bool final = false;
  auto operator<=>(const Told&) const = default;
};

/// What is stored of a machine's last minutes.
struct StoredSamples {
  std::optional<WallTime> newest;                            ///< by the machine's clock
  std::map<std::string, std::vector<std::int64_t>> numbers;  ///< boot_id -> seq, ascending
};

struct MachineLook {
  messages::Machine machine;
  std::optional<Error> engine_error;         ///< set: nothing is known of what its Engine has
  std::vector<ports::Container> containers;  ///< with our instance's label
  std::set<std::string> missing_images;      ///< of those that releases need here
  std::vector<ports::Volume> volumes;        ///< with our instance's label
  StoredSamples samples;
};

/// The journal and the world at one moment, as far as both can be looked at in one. What was being changed
/// meanwhile is in `busy`.
struct Snapshot {
  WallTime at{};
  std::vector<ports::Lane> lanes;
  std::set<std::string> busy;  ///< services on which a deployment works, waits, or did while this was taken
  std::set<std::string> held;  ///< request ids that some lane works on or has waiting
  std::map<std::string, ports::Deployment> deployments;  ///< the newest, and all that are open
  std::map<std::string, std::set<Told>> told;            ///< by request id, of `deployments`
  std::set<std::string> told_without_document;           ///< request ids
  WallTime told_since{};  ///< of older deployments some messages may have left the topic
  std::size_t messages = 0;
  std::map<std::string, ports::Release> releases;  ///< by id: those that lanes name
  std::vector<ports::Instance> instances;
  std::vector<MachineLook> machines;
};

}  // namespace slipway::check
