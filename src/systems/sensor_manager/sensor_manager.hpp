#pragma once

#include <memory>
#include <string>

#include "base/clock.hpp"
#include "base/log.hpp"
#include "messages/topics.hpp"
#include "ports/bus.hpp"
#include "ports/repository.hpp"

namespace slipway::sensor_manager {

struct SensorManagerSettings {
  /// Of the lease `sensor_manager`; give a name only where its predecessor is known to be dead.
  std::string holder{};
};

/// The role `sensor_manager`: the registry of sensors. Answers "these sensors, please" with topics, tells
/// services whose binding changes, and publishes simulated sensors. Many can run: the one that holds the
/// lease does all of it. Runs on threads of its own from construction to destruction; everything handed in
/// must outlive it.
class SensorManager {
 public:
  SensorManager(ports::Bus& bus, ports::Repository& repository, Clock& clock, Log log,
                messages::Topics topics, SensorManagerSettings settings = {});
  ~SensorManager();

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace slipway::sensor_manager
