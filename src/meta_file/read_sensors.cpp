#include <fmt/format.h>

#include <cmath>
#include <set>

#include "meta_file/spec_reader.hpp"

namespace slipway::meta_file {
namespace {

std::optional<Location> read_location(const Fields& sensor) {
  Location location;
  if (const Node* text = sensor.scalar("location")) {
    const std::size_t slash = text->text.find('/');
    location.site = text->text.substr(0, slash);
    if (slash != std::string::npos) location.room = text->text.substr(slash + 1);
    return location;
  }
  const auto map = sensor.map("location");
  if (!map) return std::nullopt;
  location.site = map->text("site");
  location.room = map->text("room");
  location.lat = map->real("lat");
  location.lon = map->real("lon");
  location.alt = map->real("alt");
  return location;
}

std::map<std::string, SensorField> read_fields(const Fields& sensor) {
  std::map<std::string, SensorField> all;
  const auto fields = sensor.map("fields");
  if (!fields) return all;
  for (const auto& entry : fields->node().entries) {
    SensorField& field = all[entry.key];
    const auto map = fields->map(entry.key);
    if (!map) {
      field.unit = fields->text(entry.key);
      continue;
    }
    field.unit = map->text("unit");
    if (const std::string type = map->text("type"); !type.empty()) field.type = type;
    field.min = map->real("min");
    field.max = map->real("max");
    field.description = map->text("description");
    if (field.min && field.max && *field.min > *field.max)
      sensor.problems().add("meta.range", *map->node().find("min"),
                            fmt::format("'{}.min' is more than its max", entry.key));
  }
  return all;
}

// "12/min" -> the time between two messages.
std::optional<std::chrono::milliseconds> read_period(const Fields& sensor) {
  const Node* rate = sensor.scalar("rate");
  if (rate == nullptr) return std::nullopt;
  const std::size_t slash = rate->text.find('/');
  const double count = std::strtod(rate->text.substr(0, slash).c_str(), nullptr);
  const std::string unit = rate->text.substr(slash + 1);
  const double unit_ms = unit == "s" ? 1e3 : unit == "min" ? 6e4 : unit == "h" ? 3.6e6 : 8.64e7;
  const double period = unit_ms / count;
  if (!(period >= 1) || period > 3.2e10) {  // a thousand a second, once a year
    sensor.problems().add("meta.sensor", *rate, "a rate is between 1/d divided by 365 and 1000/s");
    return std::nullopt;
  }
  return std::chrono::milliseconds{std::llround(period)};
}

}  // namespace

std::vector<SensorNeed> read_sensors(const Fields& root) {
  std::vector<SensorNeed> all;
  const Node* list = root.list("sensors");
  if (list == nullptr) return all;
  std::set<std::string> names;
  for (std::size_t i = 0; i < list->items.size(); ++i) {
    const Node& node = list->items[i];
    if (!node.is_map() || root.problems().blamed(node)) continue;
    const Fields sensor(node, fmt::format("sensors[{}]", i), root.problems());
    SensorNeed need;
    need.name = sensor.text("name");
    need.type = sensor.text("type");
    need.location = read_location(sensor);
    need.rate = sensor.text("rate");
    need.period = read_period(sensor);
    need.fields = read_fields(sensor);
    need.required = sensor.boolean("required", false);
    if (!need.name.empty() && !names.insert(need.name).second)
      root.problems().add("meta.sensor", *node.find("name"),
                          fmt::format("'sensors[{}].name': '{}' is used twice", i, need.name),
                          "give each its own name");
    all.push_back(std::move(need));
  }
  return all;
}

}  // namespace slipway::meta_file
