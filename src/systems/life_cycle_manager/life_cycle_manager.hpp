#pragma once

#include <memory>
#include <string>

#include "base/clock.hpp"
#include "base/log.hpp"
#include "messages/topics.hpp"
#include "ports/bus.hpp"
#include "ports/repository.hpp"

namespace slipway::life_cycle_manager {

struct LifeCycleManagerSettings {
  /// Of the lease `life_cycle_manager`; give a name only where its predecessor is known to be dead.
  std::string holder{};
};

/// The role `life_cycle_manager`: turns people's wishes (service.requests) into requests to the Deployment
/// Manager under the same request id, and keeps each service's state and history from the status messages and
/// the service events. Many can run: the one that holds the lease does it.
class LifeCycleManager {
 public:
  LifeCycleManager(ports::Bus& bus, ports::Repository& repository, Clock& clock, Log log,
                   messages::Topics topics, LifeCycleManagerSettings settings = {});
  ~LifeCycleManager();

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace slipway::life_cycle_manager
