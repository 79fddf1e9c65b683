#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "messages/sensor.hpp"
#include "ports/stores/table.hpp"

namespace slipway::ports {

/// sensors (Sensor Manager).
struct SensorDocument {
  messages::Sensor sensor;
  std::string id() const { return sensor.sensor_id; }
};

/// bindings (Sensor Manager): the newest of each service.
struct Binding {
  std::string service_id;
  std::int64_t number = 0;
  std::string request_id;
  std::vector<messages::SensorNeed> needs;
  std::map<std::string, messages::BoundTopic> topics;
  WallTime at{};
  std::string id() const { return service_id; }
};

}  // namespace slipway::ports
