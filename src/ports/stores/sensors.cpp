#include "ports/stores/sensors.hpp"

#include "ports/stores/codec_parts.hpp"

namespace slipway::ports::codec {
namespace {

json write_location(const std::optional<messages::Location>& location) {
  if (!location) return nullptr;
  return {{"site", location->site},
          {"room", location->room},
          {"lat", or_null(location->lat)},
          {"lon", or_null(location->lon)},
          {"alt", or_null(location->alt)}};
}

void read_location(const Reader& from, std::optional<messages::Location>& location) {
  from.object("location", [&](const Reader& place) {
    location = messages::Location{place.text("site"), place.text("room"), place.maybe_real("lat"),
                                  place.maybe_real("lon"), place.maybe_real("alt")};
  });
}

}  // namespace

template <>
json write(const SensorDocument& document) {
  const messages::Sensor& s = document.sensor;
  return {{"sensor_id", s.sensor_id},
          {"type", s.type},
          {"location", write_location(s.location)},
          {"topic", s.topic},
          {"rate", s.rate},
          {"fields", text_map(s.fields)},
          {"simulated", s.simulated},
          {"simulated_per_second", s.simulated_per_second},
          {"registered_at", date(s.registered_at)}};
}

template <>
void read(const Reader& from, SensorDocument& document) {
  messages::Sensor& s = document.sensor;
  s.sensor_id = from.text("sensor_id");
  s.type = from.text("type");
  read_location(from, s.location);
  s.topic = from.text("topic");
  s.rate = from.text("rate");
  s.fields = from.text_map("fields");
  s.simulated = from.flag("simulated");
  s.simulated_per_second = from.real("simulated_per_second");
  s.registered_at = from.date("registered_at");
}

template <>
json write(const Binding& b) {
  json needs = json::array();
  for (const auto& need : b.needs)
    needs.push_back({{"name", need.name},
                     {"type", need.type},
                     {"location", write_location(need.location)},
                     {"rate", need.rate},
                     {"fields", text_map(need.fields)},
                     {"required", need.required}});
  return {{"service_id", b.service_id},       {"number", b.number},
          {"request_id", b.request_id},       {"needs", std::move(needs)},
          {"topics", write_topics(b.topics)}, {"at", date(b.at)}};
}

template <>
void read(const Reader& from, Binding& b) {
  b.service_id = from.text("service_id");
  b.number = from.number("number");
  b.request_id = from.text("request_id");
  from.each("needs", [&](const Reader& item) {
    messages::SensorNeed need;
    need.name = item.text("name");
    need.type = item.text("type");
    read_location(item, need.location);
    need.rate = item.text("rate");
    need.fields = item.text_map("fields");
    need.required = item.flag("required");
    b.needs.push_back(std::move(need));
  });
  read_topics(from, b.topics);
  b.at = from.date("at");
}

SLIPWAY_DOCUMENT(SensorDocument)
SLIPWAY_DOCUMENT(Binding)

}  // namespace slipway::ports::codec
