#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/text.hpp"
#include "base/time_text.hpp"
#include "gateway/problem.hpp"
#include "gateway/readers.hpp"
#include "gateway/status.hpp"
#include "gateway/views.hpp"

namespace slipway::gateway {
namespace {

using nlohmann::json;

constexpr milliseconds kUsualSpan{10 * 60'000};
constexpr milliseconds kMostSpan{std::chrono::hours{24 * 7}};

Error no_machine(const std::string& name, const Documents& documents) {
  std::vector<std::string> names;
  for (const messages::Machine& machine : documents.machines) names.push_back(machine.name);
  const auto near = did_you_mean(name, names);
  return not_found("machine.not_found", "there is no machine '" + escape_for_people(name) + "'",
                   near ? "did you mean '" + *near + "'?" : "slipway machine ls lists them");
}

Result<ports::HttpReply> list_machines(World& world, Watch& watch) {
  const Observed observed = watch.observe();
  if (observed.repository) return *observed.repository;
  json machines = json::array();
  for (const messages::Machine& machine : observed.documents.machines)
    machines.push_back(make_machine(machine, observed, world.clock.now()));
  return json_reply(machines);
}

Result<std::pair<WallTime, WallTime>> read_span(const ports::HttpRequest& request, WallTime now) {
  WallTime to = now;
  if (const auto found = request.query.find("to"); found != request.query.end()) {
    SLIPWAY_ASSIGN(to, parse_rfc3339(found->second));
  }
  WallTime from = to - kUsualSpan;
  if (const auto found = request.query.find("from"); found != request.query.end()) {
    SLIPWAY_ASSIGN(from, parse_rfc3339(found->second));
  }
  if (from >= to || to - from > kMostSpan)
    return invalid("http.parameter", "from must be before to, by at most 7 days");
  return std::pair(from, to);
}

Result<ports::HttpReply> show_machine(World& world, Watch& watch, const std::string& name) {
  const Observed observed = watch.observe();
  if (observed.repository) return *observed.repository;
  const auto found = std::ranges::find(observed.documents.machines, name, &messages::Machine::name);
  if (found == observed.documents.machines.end()) return no_machine(name, observed.documents);
  json machine = make_machine(*found, observed, world.clock.now());
  machine["containers"] = json::array();
  const auto live = observed.machines.find(name);
  for (const ports::Instance& instance : observed.documents.instances) {
    if (instance.machine != name) continue;
    json shown = view(instance);
    shown["service"] = instance.service_id;
    if (live != observed.machines.end() && live->second.sample)
      for (const messages::ContainerSample& sample : live->second.sample->containers)
        if (sample.id == instance.container_id) shown["usage"] = {{"cpu", sample.cpu}, {"mem", sample.mem}};
    machine["containers"].push_back(std::move(shown));
  }
  return json_reply(machine);
}

/// The minutes' plain fields, of the machine or of one of its containers (?container=<id>).
Result<ports::HttpReply> show_metrics(World& world, const ports::HttpRequest& request,
                                      const std::string& name) {
  SLIPWAY_ASSIGN(const auto span, read_span(request, world.clock.now()));
  const auto container = request.query.find("container");
  const auto minutes = world.repository.samples().plain(
      name, container == request.query.end() ? "" : container->second, span.first, span.second);
  if (!minutes) return of_repository(minutes.error());
  json all = json::array();
  for (const ports::MinuteDocument& minute : *minutes) all.push_back(view(minute));
  return json_reply({{"machine", name},
                     {"from", to_rfc3339(span.first)},
                     {"to", to_rfc3339(span.second)},
                     {"minutes", all}});
}

Result<ports::HttpReply> list_sensors(World& world) {
  const auto sensors = world.repository.sensors().all();
  if (!sensors) return of_repository(sensors.error());
  json all = json::array();
  for (const ports::SensorDocument& document : *sensors) all.push_back(view(document.sensor));
  return json_reply(all);
}

/// Who reads this sensor's topic.
Result<json> readers_of(World& world, const messages::Sensor& sensor) {
  const auto bindings = world.repository.bindings().all();
  if (!bindings) return of_repository(bindings.error());
  json services = json::array();
  for (const ports::Binding& binding : *bindings)
    for (const auto& [name, bound] : binding.topics)
      if (bound.sensor_id == sensor.sensor_id)
        services.push_back({{"service", binding.service_id}, {"as", name}});
  return services;
}

Result<ports::HttpReply> show_sensor(World& world, const std::string& id) {
  const auto found = world.repository.sensors().find(id);
  if (!found) return of_repository(found.error());
  if (!*found)
    return not_found("sensor.not_found", "there is no sensor '" + escape_for_people(id) + "'",
                     "slipway sensor ls lists them");
  json value = view((*found)->sensor);
  SLIPWAY_ASSIGN(value["services"], readers_of(world, (*found)->sensor));
  return json_reply(value);
}

}  // namespace

void add_machine_routes(Router& router, World& world, Watch& watch) {
  router.add("GET", "/api/v1/machines",
             [&](const ports::HttpRequest&, const Params&) { return list_machines(world, watch); });
  router.add("GET", "/api/v1/machines/{machine}", [&](const ports::HttpRequest&, const Params& params) {
    return show_machine(world, watch, params.at("machine"));
  });
  router.add("GET", "/api/v1/machines/{machine}/metrics",
             [&](const ports::HttpRequest& request, const Params& params) {
               return show_metrics(world, request, params.at("machine"));
             });
  router.add("GET", "/api/v1/sensors",
             [&](const ports::HttpRequest&, const Params&) { return list_sensors(world); });
  router.add("GET", "/api/v1/sensors/{sensor}", [&](const ports::HttpRequest&, const Params& params) {
    return show_sensor(world, params.at("sensor"));
  });
}

}  // namespace slipway::gateway
