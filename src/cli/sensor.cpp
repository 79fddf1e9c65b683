#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <ostream>
#include <utility>

#include "base/ids.hpp"
#include "base/text.hpp"
#include "base/url.hpp"
#include "cli/api.hpp"
#include "cli/commands.hpp"
#include "cli/output.hpp"
#include "messages/sensor.hpp"

namespace slipway::cli {
namespace {

using messages::SensorAction;
using messages::SensorRequest;
using nlohmann::json;

/// "plant-2/boiler-room" -> site and room; one word is a site.
messages::Location location_of(const std::string& text) {
  const std::size_t slash = text.find('/');
  messages::Location location;
  location.site = text.substr(0, slash);
  if (slash != std::string::npos) location.room = text.substr(slash + 1);
  return location;
}

Result<SensorRequest> request_of(Session& session, SensorAction action, const SensorOptions& options) {
  SensorRequest request;
  request.request_id = make_id("r-", session.world.clock.now());
  request.action = action;
  request.requested_by = session.world.user;
  messages::Sensor sensor;
  sensor.sensor_id = options.id;
  sensor.type = options.type;
  if (!options.location.empty()) sensor.location = location_of(options.location);
  sensor.topic = options.topic;
  sensor.rate = options.rate;
  sensor.simulated = options.simulated;
  SLIPWAY_ASSIGN(const auto fields, read_pairs(options.fields, "field"));
  for (const auto& [name, unit] : fields) sensor.fields[name] = unit;
  request.sensor = std::move(sensor);
  return request;
}

int ask(Session& session, SensorAction action, const SensorOptions& options, const std::string& done) {
  const auto request = request_of(session, action, options);
  if (!request) return fail(session, request.error());
  auto api = Api::connect(session);
  if (!api) return fail(session, api.error());
  const auto reply = api->post("/api/v1/sensors/requests", messages::to_json(*request));
  if (!reply) return fail(session, reply.error());
  if (!write_value(session, *reply)) session.world.out << done << "\n";
  return 0;
}

Result<json> get(Session& session, const std::string& target) {
  SLIPWAY_ASSIGN(Api api, Api::connect(session));
  return api.get(target);
}

std::string place_of(const json& sensor) {
  const json& location = child(sensor, "location");
  const std::string room = text_of(location, "room");
  return text_of(location, "site") + (room.empty() ? "" : "/" + room);
}

}  // namespace

int sensor_add(Session& session, const SensorOptions& options) {
  return ask(
      session, options.simulated ? SensorAction::kSimulate : SensorAction::kAdd, options,
      fmt::format("Added sensor {}{}.", options.id, options.simulated ? ", simulated until removed" : ""));
}

int sensor_simulate(Session& session, const SensorOptions& options) {
  SensorOptions simulated = options;
  simulated.simulated = true;
  return ask(session, SensorAction::kSimulate, simulated,
             fmt::format("Sensor {} is simulated until removed.", options.id));
}

int sensor_remove(Session& session, const std::string& id) {
  if (const Status agreed = confirm(session, "Remove sensor " + id + "?"); !agreed)
    return fail(session, agreed.error());
  SensorOptions options;
  options.id = id;
  return ask(session, SensorAction::kRemove, options, "Removed sensor " + id + ".");
}

int sensor_list(Session& session) {
  const auto sensors = get(session, "/api/v1/sensors");
  if (!sensors) return fail(session, sensors.error());
  if (write_value(session, *sensors)) return 0;
  Table table({"ID", "TYPE", "LOCATION", "TOPIC", "RATE", "SIMULATED"});
  for (const json& sensor : *sensors)
    table.add({cell(sensor, "id"), cell(sensor, "type"), place_of(sensor), cell(sensor, "topic"),
               cell(sensor, "rate"), sensor.value("simulated", false) ? "yes" : "no"});
  session.world.out
      << (table.empty()
              ? "No sensor yet: slipway sensor add ID --type TYPE --location SITE/ROOM --simulated\n"
              : table.render());
  return 0;
}

int sensor_show(Session& session, const std::string& id) {
  const auto sensor = get(session, "/api/v1/sensors/" + percent_encode(id));
  if (!sensor) return fail(session, sensor.error());
  if (write_value(session, *sensor)) return 0;
  std::ostream& out = session.world.out;
  const auto line = [&](std::string_view label, const std::string& value) {
    if (!value.empty()) out << fmt::format("{:<10} {}\n", label, escape_for_people(value));
  };
  for (const char* field : {"id", "type", "topic", "rate", "simulated"}) line(field, text_of(*sensor, field));
  line("location", place_of(*sensor));
  for (const auto& [name, unit] : child(*sensor, "fields").items())
    line("field", name + (unit.is_string() ? " in " + unit.get<std::string>() : ""));
  for (const json& one : child(*sensor, "services"))
    line("read by", cell(one, "service") + " as " + cell(one, "as"));
  return 0;
}

}  // namespace slipway::cli
