#include "systems/sensor_manager/decide.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"
#include "systems/sensor_manager/match.hpp"

namespace slipway::sensor_manager {
namespace {

using messages::Sensor;
using messages::SensorAction;
using messages::SensorReply;
using messages::SensorRequest;

const Sensor* find(const Known& known, const std::string& id) {
  const auto found = std::ranges::find(known.sensors, id, &Sensor::sensor_id);
  return found == known.sensors.end() ? nullptr : &*found;
}

std::map<std::string, std::string> sensors_of(const ports::Binding& binding) {
  std::map<std::string, std::string> out;
  for (const auto& [name, topic] : binding.topics) out[name] = topic.sensor_id;
  return out;
}

std::map<std::string, std::string> topics_of(const std::map<std::string, messages::BoundTopic>& bound) {
  std::map<std::string, std::string> out;
  for (const auto& [name, topic] : bound) out[name] = topic.topic + " " + topic.key;
  return out;
}

// Fills the reply from what matches; the binding is stored where it is new or has changed.
void bind(const std::vector<messages::SensorNeed>& needs, const std::vector<Sensor>& sensors,
          const std::optional<ports::Binding>& before, const std::string& request_id, WallTime now,
          Decision& decision) {
  SensorReply& reply = decision.reply;
  const Matched matched =
      match(needs, sensors, before ? sensors_of(*before) : decltype(sensors_of(*before)){});
  for (const auto& [name, sensor] : matched.found)
    reply.topics[name] = {.topic = sensor->topic,
                          .sensor_id = sensor->sensor_id,
                          .key = sensor->sensor_id,
                          .last_reading_at = {}};
  reply.missing = matched.missing;
  if (!matched.missing.empty()) {
    std::vector<std::string> reasons;
    for (const auto& [name, why] : matched.missing) reasons.push_back(name + ": " + why);
    reply.error = not_found("sensor.no_match", join(reasons, "; "),
                            "slipway sensor ls shows what is there, slipway sensor add adds one");
  }
  const bool same_topics = before && topics_of(before->topics) == topics_of(reply.topics);
  reply.binding = (before ? before->number : 0) + (same_topics ? 0 : 1);
  if (!same_topics || before->needs != needs)
    decision.bind = ports::Binding{.service_id = reply.service_id,
                                   .number = reply.binding,
                                   .request_id = request_id,
                                   .needs = needs,
                                   .topics = reply.topics,
                                   .at = now};
}

void add(const Sensor& wanted, const Known& known, WallTime now, Decision& decision) {
  Sensor sensor = wanted;
  if (sensor.topic.empty()) sensor.topic = fmt::format("sensor.{}.{}", sensor.type, sensor.sensor_id);
  sensor.registered_at = now;
  const Sensor* there = find(known, sensor.sensor_id);
  if (there != nullptr) sensor.registered_at = there->registered_at;
  if (there != nullptr && *there != sensor) {
    decision.reply.error = conflict(
        "sensor.conflict",
        fmt::format("sensor {} is registered with other details ({}type {}, topic {})", sensor.sensor_id,
                    there->simulated ? "simulated, " : "", there->type, there->topic),
        "remove it first, or choose another id");
    return;
  }
  if (there == nullptr) decision.store = std::move(sensor);
}

}  // namespace

Decision decide(const SensorRequest& request, const Known& known, WallTime now) {
  Decision decision;
  decision.reply.request_id = request.request_id;
  decision.reply.service_id = request.service_id;
  decision.reply.correlation_id = request.correlation_id;
  if (request.action == SensorAction::kBind) {
    bind(request.sensors, known.sensors, known.binding, request.request_id, now, decision);
    return decision;
  }
  const Sensor& sensor = *request.sensor;  // parse saw to it
  decision.reply.sensor_id = sensor.sensor_id;
  if (request.action == SensorAction::kRemove) {
    if (find(known, sensor.sensor_id) != nullptr)
      decision.remove = sensor.sensor_id;
    else
      decision.reply.error =
          not_found("sensor.unknown", fmt::format("no sensor '{}' is registered", sensor.sensor_id),
                    "slipway sensor ls");
  } else {
    add(sensor, known, now, decision);
  }
  return decision;
}

std::optional<Decision> bind_again(const ports::Binding& binding, const std::vector<Sensor>& sensors,
                                   WallTime now) {
  Decision decision;
  decision.reply.request_id = binding.request_id;
  decision.reply.service_id = binding.service_id;
  bind(binding.needs, sensors, binding, binding.request_id, now, decision);
  if (decision.reply.binding == binding.number) return std::nullopt;
  return decision;
}

}  // namespace slipway::sensor_manager
