#include "systems/sensor_manager/reading.hpp"

#include <array>
#include <cmath>
#include <functional>
#include <nlohmann/json.hpp>

#include "base/time_text.hpp"
#include "messages/strict_json.hpp"

namespace slipway::sensor_manager {
namespace {

struct Swing {
  std::string_view unit;  // UCUM
  double middle, by;
};
constexpr std::array<Swing, 12> kSwings{{{"Cel", 21, 4},
                                         {"K", 294, 4},
                                         {"%", 45, 10},
                                         {"Pa", 101'325, 600},
                                         {"hPa", 1013, 6},
                                         {"bar", 2.5, 0.4},
                                         {"V", 230, 3},
                                         {"A", 6, 2},
                                         {"W", 1400, 300},
                                         {"Hz", 50, 0.05},
                                         {"m/s", 3, 2},
                                         {"[ppm]", 600, 150}}};

double value_of(const std::string& field, const std::string& unit, std::int64_t seq) {
  Swing swing{"", 50, 20};
  for (const Swing& known : kSwings)
    if (known.unit == unit) swing = known;
  // A slow swing, out of step with the other fields, and a little noise.
  const double phase = static_cast<double>(std::hash<std::string>{}(field) % 628) / 100;
  const double slow = std::sin(static_cast<double>(seq) / 40 + phase);
  const double noise = std::sin(static_cast<double>(seq) * 12.9898 + phase) * 0.1;
  return std::round((swing.middle + swing.by * (slow + noise)) * 100) / 100;
}

}  // namespace

std::string make_reading(const messages::Sensor& sensor, std::int64_t seq, WallTime at) {
  nlohmann::ordered_json out{{"sensor", sensor.sensor_id}, {"seq", seq}, {"at", to_rfc3339(at)}};
  for (const auto& [field, unit] : sensor.fields) out[field] = value_of(field, unit, seq);
  if (sensor.fields.empty()) out["value"] = value_of("value", "", seq);
  return out.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

std::int64_t seq_of(std::string_view reading) {
  const auto value = messages::parse_strict_json(reading);
  if (!value || !value->is_object()) return 0;
  const auto seq = value->find("seq");
  return seq != value->end() && seq->is_number_unsigned() ? seq->get<std::int64_t>() : 0;
}

}  // namespace slipway::sensor_manager
