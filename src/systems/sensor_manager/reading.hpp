#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "messages/sensor.hpp"

namespace slipway::sensor_manager {

/// The reading number `seq` of a simulated sensor: {"sensor", "seq", "at", and a plausible value of each of
/// its fields, or of "value" where it names none}. The same number gives the same values.
std::string make_reading(const messages::Sensor& sensor, std::int64_t seq, WallTime at);

/// The number in a reading; 0 if it holds none.
std::int64_t seq_of(std::string_view reading);

}  // namespace slipway::sensor_manager
