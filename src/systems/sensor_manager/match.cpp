#include "systems/sensor_manager/match.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "base/text.hpp"

namespace slipway::sensor_manager {
namespace {

using messages::Location;
using messages::Sensor;
using messages::SensorNeed;

constexpr std::size_t kMostCandidates = 5;

bool is_there(const std::optional<Location>& wanted, const std::optional<Location>& location) {
  if (!wanted) return true;
  if (!wanted->site.empty() && (!location || location->site != wanted->site)) return false;
  if (!wanted->room.empty() && (!location || location->room != wanted->room)) return false;
  if (wanted->lat && wanted->lon && wanted->site.empty() && wanted->room.empty())
    return location && location->lat && location->lon;  // the nearest of these
  return true;
}

// Metres, near enough for ordering (equirectangular); infinite where either place is unknown.
double distance(const std::optional<Location>& a, const std::optional<Location>& b) {
  if (!a || !b || !a->lat || !a->lon || !b->lat || !b->lon) return HUGE_VAL;
  constexpr double kMetresPerDegree = 111'195, kRadians = 0.017453292519943295;
  const double north = (*a->lat - *b->lat) * kMetresPerDegree;
  const double east = (*a->lon - *b->lon) * kMetresPerDegree * std::cos(*a->lat * kRadians);
  return std::hypot(north, east);
}

std::string describe(const Sensor& sensor) {
  return fmt::format("{} ({})", sensor.sensor_id, to_string(sensor.location));
}

std::string why_missing(const SensorNeed& need, std::vector<const Sensor*> same_type,
                        const std::vector<Sensor>& sensors) {
  if (same_type.empty()) {
    std::set<std::string> types;
    for (const Sensor& sensor : sensors) types.insert(sensor.type);
    const std::vector<std::string> known(types.begin(), types.end());
    if (known.empty()) return fmt::format("no sensor is registered, wanted is one of type {}", need.type);
    const auto near = did_you_mean(need.type, known);
    return fmt::format(
        "no sensor of type {}; {}", need.type,
        near ? fmt::format("did you mean {}?", *near) : fmt::format("there are {}", join(known, ", ")));
  }
  std::ranges::stable_sort(same_type, {},
                           [&](const Sensor* sensor) { return distance(need.location, sensor->location); });
  std::vector<std::string> nearest;
  for (const Sensor* sensor : same_type)
    if (nearest.size() < kMostCandidates) nearest.push_back(describe(*sensor));
  return fmt::format("no sensor of type {} at {}; nearest: {}", need.type, to_string(need.location),
                     join(nearest, ", "));
}

}  // namespace

std::string to_string(const std::optional<Location>& location) {
  if (location && !location->site.empty())
    return location->room.empty() ? location->site : location->site + "/" + location->room;
  if (location && !location->room.empty()) return "room " + location->room;
  if (location && location->lat && location->lon) return fmt::format("{},{}", *location->lat, *location->lon);
  return "nowhere in particular";
}

Matched match(const std::vector<SensorNeed>& needs, const std::vector<Sensor>& sensors,
              const std::map<std::string, std::string>& bound) {
  Matched out;
  for (const SensorNeed& need : needs) {
    std::vector<const Sensor*> same_type, fitting;
    for (const Sensor& sensor : sensors) {
      if (sensor.type != need.type) continue;
      same_type.push_back(&sensor);
      if (is_there(need.location, sensor.location)) fitting.push_back(&sensor);
    }
    if (fitting.empty()) {
      out.missing[need.name] = why_missing(need, std::move(same_type), sensors);
      continue;
    }
    const auto before = bound.find(need.name);
    out.found[need.name] = *std::ranges::min_element(fitting, {}, [&](const Sensor* sensor) {
      const bool was_bound = before != bound.end() && before->second == sensor->sensor_id;
      return std::tuple(!was_bound, distance(need.location, sensor->location), sensor->sensor_id);
    });
  }
  return out;
}

}  // namespace slipway::sensor_manager
