#pragma once

#include <map>
#include <string>
#include <vector>

#include "messages/sensor.hpp"

namespace slipway::sensor_manager {

/// What was found for the sensors that a service asks for.
struct Matched {
  std::map<std::string, const messages::Sensor*> found;  ///< name -> one of the sensors given
  std::map<std::string, std::string> missing;            ///< name -> why, with the nearest candidates
};

/// A sensor fits if its type is equal and it is where it is wanted: the same site and room where the need
/// names them; among several the one that was bound before (`bound`: name -> sensor id), then the nearest
/// where the need has coordinates, then the first by id. Pure.
Matched match(const std::vector<messages::SensorNeed>& needs, const std::vector<messages::Sensor>& sensors,
              const std::map<std::string, std::string>& bound);

/// "plant-2/boiler-room", "52.1,13.0", or "nowhere in particular".
std::string to_string(const std::optional<messages::Location>& location);

}  // namespace slipway::sensor_manager
