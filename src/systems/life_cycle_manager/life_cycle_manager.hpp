#pragma once

#include <memory>

#include "base/clock.hpp"
#include "base/log.hpp"
#include "messages/topics.hpp"
#include "ports/bus.hpp"
#include "ports/repository.hpp"

namespace slipway::life_cycle_manager {

/// The role `life_cycle_manager`: turns people's wishes (service.requests) into requests to the Deployment
/// Manager under the same request id, and keeps each service's state and history from the status messages and
/// the service events.
class LifeCycleManager {
 public:
  LifeCycleManager(ports::Bus& bus, ports::Repository& repository, Clock& clock, Log log,
                   messages::Topics topics);
  ~LifeCycleManager();

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace slipway::life_cycle_manager
