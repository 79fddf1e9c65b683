#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "messages/machine.hpp"
#include "ports/container.hpp"

namespace slipway::node_manager {

/// What a request needs to know of the world before it is decided.
struct Known {
  std::optional<messages::Machine> machine;  ///< as registered
  std::vector<std::string> services;         ///< that run on it
};

/// What becomes of a request. Pure but for `look`, which asks the Engine and is called at most once, only to
/// add.
struct Decision {
  messages::MachineReply reply;
  std::optional<messages::Machine> store;  ///< register it so
  bool remove = false;                     ///< take it out of the registry
};
Decision decide(const messages::MachineRequest& request, const Known& known, WallTime now,
                const std::function<Result<ports::EngineInfo>()>& look);

/// What a machine is, as its Engine says: engine, api, arch, os, kernel, cgroup, cpus, memory.
std::map<std::string, std::string> facts_of(const ports::EngineInfo& info);

}  // namespace slipway::node_manager
