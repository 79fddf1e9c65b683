#include "messages/sensor.hpp"

#include <array>
#include <charconv>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "base/text.hpp"
#include "base/time_text.hpp"
#include "messages/deployment_status.hpp"
#include "messages/envelope.hpp"
#include "messages/strict_json.hpp"

namespace slipway::messages {
namespace {

using nlohmann::json;

// In the order of the enumeration.
constexpr std::array<std::string_view, 4> kActions{"bind", "add", "remove", "simulate"};

bool is_rate(std::string_view text) {
  return per_second(text).has_value();
}
const TextRule kRate{is_rate, "a rate, such as 12/min or 20/s", 20};

SensorAction read_action(const Fields& fields) {
  const std::string text = fields.required_text("action");
  for (std::size_t i = 0; i < kActions.size(); ++i)
    if (kActions[i] == text) return static_cast<SensorAction>(i);
  if (text.empty()) return SensorAction::kBind;
  const std::vector<std::string> known(kActions.begin(), kActions.end());
  const auto near = did_you_mean(text, known);
  fields.add_problem("request.action", "action", "is none of " + join(known, " "),
                     near ? "did you mean \"" + *near + "\"?" : "");
  return SensorAction::kBind;
}

std::optional<Location> read_location(const Fields& fields) {
  const json* found = fields.find("location");
  if (found == nullptr) return std::nullopt;
  Location location;
  if (found->is_string()) {
    const std::string text = fields.text("location");
    const std::size_t slash = text.find('/');
    location.site = text.substr(0, slash);
    if (slash != std::string::npos) location.room = text.substr(slash + 1);
  } else if (const auto inner = fields.object("location")) {
    location.site = inner->text("site");
    location.room = inner->text("room");
    location.lat = inner->number("lat", -90, 90);
    location.lon = inner->number("lon", -180, 180);
    location.alt = inner->number("alt", -12'000, 100'000);
  }
  return location;
}

json to_value(const Location& location) {
  json out = json::object();
  put_text(out, "site", location.site);
  put_text(out, "room", location.room);
  if (location.lat) out["lat"] = *location.lat;
  if (location.lon) out["lon"] = *location.lon;
  if (location.alt) out["alt"] = *location.alt;
  return out;
}

// "fields": {"temperature": "Cel"} or {"temperature": {"unit": "Cel"}}, as the meta file has it.
std::map<std::string, std::string> read_units(const Fields& fields) {
  std::map<std::string, std::string> units;
  const auto inner = fields.object("fields");
  const json* found = fields.find("fields");
  if (!inner || !found->is_object()) return units;
  for (const auto& [name, value] : found->items()) {
    if (units.size() == 1000) {
      fields.add_problem("request.invalid", "fields", "has more than 1000 entries");
      break;
    }
    const auto unit = value.is_object() ? inner->object(name)->text("unit") : inner->text(name);
    units[name] = unit;
  }
  return units;
}

SensorNeed read_need(const Fields& fields) {
  SensorNeed need;
  need.name = fields.required_text("name", kSensorName);
  need.type = fields.required_text("type", kSensorType);
  need.location = read_location(fields);
  need.rate = fields.text("rate", kRate);
  need.fields = read_units(fields);
  need.required = fields.flag("required");
  return need;
}

json to_value(const SensorNeed& need) {
  json out{{"name", need.name}, {"type", need.type}};
  if (need.location) out["location"] = to_value(*need.location);
  put_text(out, "rate", need.rate);
  if (!need.fields.empty()) out["fields"] = need.fields;
  if (need.required) out["required"] = true;
  return out;
}

Sensor read_sensor(const Fields& fields, SensorAction action) {
  Sensor sensor;
  sensor.sensor_id = fields.required_text("sensor_id", kSensorName);
  if (action == SensorAction::kRemove) return sensor;
  sensor.type = fields.required_text("type", kSensorType);
  sensor.location = read_location(fields);
  sensor.topic = fields.text("topic", kTopicName);
  sensor.rate = fields.text("rate", kRate);
  sensor.fields = read_units(fields);
  sensor.simulated = action == SensorAction::kSimulate;
  if (const auto rate = fields.number("simulated_per_second", 0, 1000)) sensor.simulated_per_second = *rate;
  return sensor;
}

json to_value(const Sensor& sensor) {
  json out{{"sensor_id", sensor.sensor_id}};
  put_text(out, "type", sensor.type);
  if (sensor.location) out["location"] = to_value(*sensor.location);
  put_text(out, "topic", sensor.topic);
  put_text(out, "rate", sensor.rate);
  if (!sensor.fields.empty()) out["fields"] = sensor.fields;
  if (sensor.simulated_per_second > 0) out["simulated_per_second"] = sensor.simulated_per_second;
  return out;
}

void read_bind(const Fields& fields, SensorRequest& request) {
  request.service_id = fields.required_text("service_id", kServiceName);
  if (!fields.has("sensors")) fields.add_problem("request.invalid", "sensors", "is missing");
  std::set<std::string> names;
  for (const Fields& one : fields.objects("sensors", 1000)) {
    SensorNeed need = read_need(one);
    if (!need.name.empty() && !names.insert(need.name).second)
      one.add_problem("request.invalid", "name", "is there twice");
    request.sensors.push_back(std::move(need));
  }
}

}  // namespace

std::string_view to_string(SensorAction action) {
  return kActions[static_cast<std::size_t>(action)];
}

Result<Parsed<SensorRequest>> parse_sensor_request(std::string_view text,
                                                   const std::optional<std::string>& key,
                                                   const RecordPlace& place) {
  SLIPWAY_ASSIGN(Envelope envelope, open_request(text, place));
  const Fields fields = envelope.fields();
  Parsed<SensorRequest> parsed;
  SensorRequest& request = parsed.request;
  request.request_id = envelope.request_id;
  request.action = read_action(fields);
  if (request.action == SensorAction::kBind) {
    read_bind(fields, request);
  } else if (const auto sensor = fields.object("sensor")) {
    request.sensor = read_sensor(*sensor, request.action);
  } else {  // the sensor's members beside the others: easier to write by hand
    request.sensor = read_sensor(fields, request.action);
  }
  request.requested_by = fields.text("requested_by");
  request.correlation_id = fields.text("correlation_id");
  envelope.check_key(key, request.sensor ? request.sensor->sensor_id : request.service_id,
                     request.sensor ? "sensor_id" : "service_id");
  parsed.refusal = envelope.problems.refusal();
  return parsed;
}

std::string to_json(const SensorRequest& request) {
  json out{{"request_id", request.request_id}, {"action", to_string(request.action)}};
  if (request.action == SensorAction::kBind) {
    out["service_id"] = request.service_id;
    out["sensors"] = json::array();
    for (const SensorNeed& need : request.sensors) out["sensors"].push_back(to_value(need));
  }
  if (request.sensor) out["sensor"] = to_value(*request.sensor);
  put_text(out, "requested_by", request.requested_by);
  put_text(out, "correlation_id", request.correlation_id);
  return dump(out);
}

Result<SensorReply> parse_sensor_reply(std::string_view text) {
  SLIPWAY_ASSIGN(const json value, open_message(text));
  Problems problems;
  const Fields fields(value, "", problems);
  SensorReply reply;
  reply.request_id = fields.required_text("request_id", kQuestionId);
  reply.service_id = fields.text("service_id");
  reply.sensor_id = fields.text("sensor_id");
  reply.binding = fields.integer("binding").value_or(0);
  for (const auto& [name, one] : fields.named_objects("topics", 1000)) {
    BoundTopic& bound = reply.topics[name];
    bound.topic = one.required_text("topic", kTopicName);
    bound.sensor_id = one.text("sensor_id");
    bound.key = one.text("key");
    bound.last_reading_at = one.time("last_reading_at");
  }
  reply.missing = fields.texts("missing", 1000);
  if (fields.object("error")) reply.error = error_from_value(*fields.find("error"));
  reply.correlation_id = fields.text("correlation_id");
  if (auto error = message_error(problems, "sensor reply")) return *std::move(error);
  return reply;
}

std::string to_json(const SensorReply& reply) {
  json topics = json::object();
  for (const auto& [name, bound] : reply.topics) {
    topics[name] = {{"topic", bound.topic}, {"sensor_id", bound.sensor_id}};
    put_text(topics[name], "key", bound.key);
    put_time(topics[name], "last_reading_at", bound.last_reading_at);
  }
  json out{{"request_id", reply.request_id}, {"error", reply.error ? to_value(*reply.error) : json(nullptr)}};
  put_text(out, "service_id", reply.service_id);
  put_text(out, "sensor_id", reply.sensor_id);
  if (!reply.service_id.empty()) {
    out["binding"] = reply.binding;
    out["topics"] = std::move(topics);
  }
  if (!reply.missing.empty()) out["missing"] = reply.missing;
  put_text(out, "correlation_id", reply.correlation_id);
  return dump(out);
}

Result<double> per_second(std::string_view rate) {
  const Error wrong = invalid("sensor.rate", "'" + escape_for_people(rate) + "' is no rate",
                              "write it as 20/s, 12/min, 4/h or 1/d");
  double count = 0;
  const auto [end, failed] =
      std::from_chars(rate.data(), rate.data() + rate.size(), count, std::chars_format::fixed);
  if (failed != std::errc{} || !(count > 0) || count > 1e6) return wrong;
  const std::string_view unit = rate.substr(static_cast<std::size_t>(end - rate.data()));
  if (unit == "/s") return count;
  if (unit == "/min") return count / 60;
  if (unit == "/h") return count / 3600;
  if (unit == "/d") return count / 86'400;
  return wrong;
}

}  // namespace slipway::messages
