#include "gateway/views.hpp"

#include <nlohmann/json.hpp>

#include "base/ids.hpp"
#include "base/time_text.hpp"
#include "messages/deployment_request.hpp"

namespace slipway::gateway {
namespace {

using nlohmann::json;

json text(const std::string& value) {
  return value.empty() ? json(nullptr) : json(value);
}
json time(WallTime value) {
  return to_ms(value) == 0 ? json(nullptr) : json(to_rfc3339(value));
}
template <class T>
json maybe(const std::optional<T>& value) {
  return value ? json(*value) : json(nullptr);
}

/// What a message's own to_json wrote, as a value.
json from_message(const std::string& message) {
  return json::parse(message, nullptr, false);
}

/// A stored JSON text, or the text itself if it is none.
json stored_json(const std::string& value) {
  if (value.empty()) return nullptr;
  json parsed = json::parse(value, nullptr, false);
  return parsed.is_discarded() ? json(value) : parsed;
}

json topics(const std::map<std::string, messages::BoundTopic>& bound) {
  json all = json::object();
  for (const auto& [name, topic] : bound)
    all[name] = {{"topic", topic.topic},
                 {"sensor_id", topic.sensor_id},
                 {"key", text(topic.key)},
                 {"last_reading_at", topic.last_reading_at ? time(*topic.last_reading_at) : json(nullptr)}};
  return all;
}

}  // namespace

json view(const ports::Service& service) {
  return {{"name", service.service_id},
          {"state", service.state},
          {"release", maybe(service.serving)},
          {"version", text(service.version)},
          {"path", text(service.path)},
          {"machine", text(service.machine)},
          {"last_request", text(service.last_request)},
          {"last_error", text(service.last_error)},
          {"since", time(service.since)}};
}

json view(const ports::ServiceHistory& entry) {
  return {{"at", time(entry.at)},
          {"event", entry.event},
          {"state", entry.state},
          {"release", maybe(entry.release)},
          {"request_id", text(entry.request_id)},
          {"message", entry.message}};
}

json view(const ports::Release& release) {
  return {{"number", release.number},
          {"version", text(release.version)},
          {"path", text(release.path)},
          {"machine", text(release.machine)},
          {"image", text(release.image)},
          {"image_key", text(release.image_key)},
          {"source_digest", text(release.source_digest)},
          {"request_id", text(release.request_id)},
          {"binding", release.binding},
          {"topics", topics(release.topics)},
          {"spec", stored_json(release.spec)},
          {"dockerfile", text(release.dockerfile)},
          {"created_at", time(release.created_at)}};
}

json view(const ports::Instance& instance) {
  json ports = json::array();
  for (const auto& [target, address] : instance.ports)
    ports.push_back({{"target", target}, {"address", address}});
  return {{"machine", instance.machine},
          {"release", instance.release},
          {"replica", instance.replica},
          {"container", text(instance.container_name)},
          {"container_id", text(instance.container_id)},
          {"state", instance.state},
          {"health", instance.health.empty() ? json("none") : json(instance.health)},
          {"ports", std::move(ports)},
          {"since", time(instance.since)}};
}

json view(const ports::Failure& failure) {
  return {{"request_id", failure.request_id},
          {"machine", text(failure.machine)},
          {"release", failure.release},
          {"stage", text(failure.stage)},
          {"error", messages::to_value(failure.error)},
          {"exit_code", maybe(failure.exit_code)},
          {"oom_killed", failure.oom_killed},
          {"last_logs", failure.last_logs},
          {"health_output", text(failure.health_output)},
          {"dockerfile", text(failure.dockerfile)},
          {"topics", topics(failure.topics)},
          {"at", time(failure.at)}};
}

json view(const ports::Deployment& deployment) {
  json stages = json::array();
  for (const auto& stage : deployment.stages) stages.push_back(messages::to_value(stage));
  return {{"request_id", deployment.request_id},
          {"short_id", short_id(deployment.request_id)},
          {"service_id", deployment.service_id},
          {"action", messages::to_string(deployment.request.action)},
          {"request", from_message(messages::to_json(deployment.request))},
          {"state", deployment.end ? json(messages::to_string(*deployment.end)) : json("running")},
          {"open", deployment.open},
          {"stages", std::move(stages)},
          {"facts", deployment.facts},
          {"created_at", time(deployment.created_at)}};
}

json view(const ports::Binding& binding) {
  json needs = json::array();
  for (const auto& need : binding.needs)
    needs.push_back(
        {{"name", need.name}, {"type", need.type}, {"rate", text(need.rate)}, {"required", need.required}});
  return {{"binding", binding.number},
          {"request_id", text(binding.request_id)},
          {"needs", std::move(needs)},
          {"topics", topics(binding.topics)},
          {"at", time(binding.at)}};
}

json view(const ports::Placement& placement) {
  return {{"request_id", placement.request_id}, {"service_id", placement.service_id},
          {"machine", text(placement.machine)}, {"reason", placement.reason},
          {"refused", placement.refused},       {"at", time(placement.at)}};
}

json view(const messages::Machine& machine) {
  json value = from_message(messages::to_json(machine));
  value["name"] = machine.name;
  return value;
}

json view(const messages::MachineStateReport& report) {
  return from_message(messages::to_json(report));
}

json view(const messages::Sensor& sensor) {
  json location = nullptr;
  if (sensor.location) {
    location = {{"site", text(sensor.location->site)}, {"room", text(sensor.location->room)}};
    if (sensor.location->lat) location["lat"] = *sensor.location->lat;
    if (sensor.location->lon) location["lon"] = *sensor.location->lon;
    if (sensor.location->alt) location["alt"] = *sensor.location->alt;
  }
  return {{"id", sensor.sensor_id},          {"type", sensor.type},
          {"location", std::move(location)}, {"topic", sensor.topic},
          {"rate", text(sensor.rate)},       {"fields", sensor.fields},
          {"simulated", sensor.simulated},   {"registered_at", time(sensor.registered_at)}};
}

json view(const ports::MinuteDocument& minute) {
  json metrics = json::object();
  for (const auto& [name, summary] : minute.plain)
    metrics[name] = {{"min", summary.min}, {"avg", summary.avg},   {"max", summary.max},
                     {"p95", summary.p95}, {"last", summary.last}, {"count", summary.count}};
  return {{"minute", to_rfc3339(from_ms(minute.minute))},
          {"container_id", text(minute.container_id)},
          {"service", text(minute.service_id)},
          {"samples", minute.samples},
          {"metrics", std::move(metrics)}};
}

}  // namespace slipway::gateway
