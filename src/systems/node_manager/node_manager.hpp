#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "base/clock.hpp"
#include "base/log.hpp"
#include "messages/topics.hpp"
#include "ports/bus.hpp"
#include "ports/engine.hpp"
#include "ports/repository.hpp"

namespace slipway::node_manager {

struct NodeManagerSettings {
  std::chrono::seconds check_every{10};  ///< each Engine is looked at this often
  /// Of the lease `node_manager`; give a name only where its predecessor is known to be dead.
  std::string holder{};
};

/// The role `node_manager`: the registry of machines. Requests are decided one at a time; what is registered
/// is stored and published on the compacted registry topic; each Engine is checked on a thread of its own.
/// Many can run: the one that holds the lease does all of it.
class NodeManager {
 public:
  NodeManager(ports::Bus& bus, ports::Repository& repository, ports::Engines& engines, Clock& clock, Log log,
              messages::Topics topics, NodeManagerSettings settings = {});
  ~NodeManager();

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace slipway::node_manager
