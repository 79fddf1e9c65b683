#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "messages/sensor.hpp"
#include "ports/stores/sensors.hpp"

namespace slipway::sensor_manager {

/// What is known when a request is decided.
struct Known {
  std::vector<messages::Sensor> sensors;
  std::optional<ports::Binding> binding;  ///< of the service that asks
};

/// The answer, and what is to be stored before it is given. Nothing to store: nothing changed.
struct Decision {
  messages::SensorReply reply;
  std::optional<messages::Sensor> store;
  std::optional<std::string> remove;  ///< a sensor's id
  std::optional<ports::Binding> bind;
};

/// Pure. A binding's number grows only when its topics change. A sensor that is there already may be added
/// again with the same details; with others it is `sensor.conflict`.
Decision decide(const messages::SensorRequest& request, const Known& known, WallTime now);

/// The binding after the registry has changed, or nothing if its topics are the same; with the reply that
/// says so.
std::optional<Decision> bind_again(const ports::Binding& binding,
                                   const std::vector<messages::Sensor>& sensors, WallTime now);

}  // namespace slipway::sensor_manager
