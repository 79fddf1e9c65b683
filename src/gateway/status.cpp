#include "gateway/status.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <utility>

#include "base/time_text.hpp"
#include "gateway/systems.hpp"
#include "gateway/views.hpp"

namespace slipway::gateway {
namespace {

using nlohmann::json;

constexpr milliseconds kSampleAge{15'000};    // an agent that was silent for longer is not up
constexpr milliseconds kLeastWindow{15'000};  // a sensor's readings may be this late
constexpr milliseconds kDefaultPeriod{5'000};

struct Judged {
  std::string state;  // up degraded down off
  std::string detail;
};

template <class T>
json maybe(const std::optional<T>& value) {
  return value ? json(*value) : json(nullptr);
}

const LiveMachine* live(const Observed& observed, const std::string& machine) {
  const auto found = observed.machines.find(machine);
  return found == observed.machines.end() ? nullptr : &found->second;
}

std::optional<messages::MachineStateReport> report_of(const messages::Machine& machine,
                                                      const Observed& observed) {
  const LiveMachine* seen = live(observed, machine.name);
  if (seen != nullptr && seen->state) return seen->state;
  return machine.state;
}

bool agent_reports(const messages::Machine& machine, const Observed& observed, WallTime now) {
  const LiveMachine* seen = live(observed, machine.name);
  if (seen != nullptr && seen->sample && now - seen->sample_at <= kSampleAge) return true;
  if (now - observed.started_at > kSampleAge) return false;
  const auto report = report_of(machine, observed);  // the gateway is too young to have heard each agent
  return report && report->state == messages::MachineState::kUp;
}

/// Why a machine's Engine does not work, or empty.
std::string engine_trouble(const messages::Machine& machine, const Observed& observed) {
  const auto found = observed.engine_errors.find(machine.name);
  if (found != observed.engine_errors.end()) return found->second;
  const auto report = report_of(machine, observed);
  if (report && report->cause == "engine") return "the Engine does not answer";
  return machine.engine_error;
}

/// All of `total` work: up; none: down; none wanted: off.
Judged judge_parts(std::size_t total, const std::vector<std::string>& broken, std::string_view what) {
  if (total == 0) return {"off", "no machine is registered"};
  if (broken.empty()) return {"up", fmt::format("{} of {} machines", total, total)};
  std::string names;
  for (const std::string& name : broken) names += (names.empty() ? "" : ", ") + name;
  return {broken.size() == total ? "down" : "degraded", fmt::format("{} {}", what, names)};
}

Judged judge(const System& system, const Observed& observed, WallTime now) {
  if (system.name == "Kafka")
    return observed.kafka ? Judged{"down", observed.kafka->message} : Judged{"up", "answers"};
  if (system.name == "Repository")
    return observed.repository ? Judged{"down", observed.repository->message} : Judged{"up", "answers"};
  const auto& machines = observed.documents.machines;
  std::vector<std::string> broken;
  if (system.name == "Docker") {
    for (const auto& machine : machines)
      if (!engine_trouble(machine, observed).empty()) broken.push_back(machine.name);
    return judge_parts(machines.size(), broken, "no answer from the Engine of");
  }
  if (observed.kafka) return {"degraded", "cannot be seen or work while Kafka is down"};
  if (system.name == "Machine Agent") {
    for (const auto& machine : machines)
      if (!agent_reports(machine, observed, now)) broken.push_back(machine.name);
    return judge_parts(machines.size(), broken, "no samples from");
  }
  const auto members = observed.members.find(system.role);
  if (members == observed.members.end()) return {"degraded", "its consumer group could not be looked at"};
  if (members->second == 0) return {"down", "its consumer group has no member"};
  if (observed.repository) return {"degraded", "cannot store anything while the Repository is down"};
  return {"up", fmt::format("{} in its group", members->second)};
}

json make_systems(const Observed& observed, WallTime now) {
  json systems = json::array();
  for (const System& system : kSystems) {
    const Judged judged = judge(system, observed, now);
    systems.push_back({{"name", system.name}, {"state", judged.state}, {"detail", judged.detail}});
  }
  return systems;
}

milliseconds window_of(const messages::SensorNeed& need) {
  const auto rate = messages::per_second(need.rate);
  if (!rate || *rate <= 0) return std::max(kLeastWindow, 3 * kDefaultPeriod);
  return std::max(kLeastWindow, milliseconds{static_cast<std::int64_t>(3'000.0 / *rate)});
}

json make_sensors(const ports::Binding& binding, const Observed& observed, WallTime now) {
  json sensors = json::array();
  for (const messages::SensorNeed& need : binding.needs) {
    const auto bound = binding.topics.find(need.name);
    json sensor = {{"name", need.name}, {"type", need.type}};
    if (bound == binding.topics.end()) {
      sensor["state"] = "missing";
    } else {
      std::optional<WallTime> last = bound->second.last_reading_at;
      const auto flow = observed.flows.find(bound->second.topic);
      if (flow != observed.flows.end() && flow->second.last_moved) last = flow->second.last_moved;
      sensor["state"] = last && now - *last <= window_of(need) ? "reporting" : "silent";
      sensor["sensor"] = bound->second.sensor_id;
      sensor["topic"] = bound->second.topic;
      sensor["last_reading_at"] = last ? json(to_rfc3339(*last)) : json(nullptr);
    }
    sensors.push_back(std::move(sensor));
  }
  return sensors;
}

/// A service whose Life Cycle Manager has not written anything (yet) is known from its lane.
ports::Service service_of(const ports::Lane& lane) {
  ports::Service service;
  service.service_id = lane.service_id;
  service.serving = lane.committed;
  service.state = lane.active ? "deploying" : std::string(ports::to_string(lane.wanted));
  if (!lane.machines.empty()) service.machine = lane.machines.front();
  return service;
}

std::string worst_health(const std::vector<const ports::Instance*>& instances) {
  constexpr std::string_view kWorstFirst[] = {"unhealthy", "starting", "healthy"};
  for (const std::string_view wanted : kWorstFirst)
    for (const ports::Instance* instance : instances)
      if (instance->health == wanted) return std::string(wanted);
  return "none";
}

json make_service(const ports::Service& service, const Observed& observed, WallTime now) {
  std::vector<const ports::Instance*> instances;
  for (const ports::Instance& instance : observed.documents.instances)
    if (instance.service_id == service.service_id && instance.state != "stopped")
      instances.push_back(&instance);
  json value = view(service);
  value["health"] = worst_health(instances);
  value["ports"] = json::array();
  value["containers"] = json::array();
  for (const ports::Instance* instance : instances) {
    const json shown = view(*instance);
    for (const json& port : shown["ports"]) value["ports"].push_back(port);
    json container = {{"name", instance->container_name},
                      {"id", instance->container_id},
                      {"state", instance->state},
                      {"machine", instance->machine}};
    if (const LiveMachine* machine = live(observed, instance->machine); machine != nullptr && machine->sample)
      for (const messages::ContainerSample& sample : machine->sample->containers)
        if (sample.id == instance->container_id) {
          container["cpu"] = sample.cpu;
          container["mem"] = sample.mem;
          container["mem_limit"] = sample.mem_limit;
        }
    value["containers"].push_back(std::move(container));
    if (value["machine"].is_null()) value["machine"] = instance->machine;
  }
  value["sensors"] = json::array();
  for (const ports::Binding& binding : observed.documents.bindings)
    if (binding.service_id == service.service_id) value["sensors"] = make_sensors(binding, observed, now);
  return value;
}

json make_services(const Observed& observed, WallTime now) {
  json services = json::array();
  std::set<std::string> known;
  for (const ports::Service& service : observed.documents.services) {
    known.insert(service.service_id);
    if (service.state != "removed") services.push_back(make_service(service, observed, now));
  }
  for (const ports::Lane& lane : observed.documents.lanes) {
    const bool gone = lane.wanted == ports::Wanted::kRemoved && !lane.active;
    if (!gone && !known.contains(lane.service_id))
      services.push_back(make_service(service_of(lane), observed, now));
  }
  return services;
}

json usage(const messages::MachineSample& sample) {
  json value = {{"cpu", sample.cpu.used},
                {"cores", sample.cpu.cores},
                {"load", {sample.load[0], sample.load[1], sample.load[2]}},
                {"mem_total", sample.mem.total},
                {"mem_used", sample.mem.total - sample.mem.available},
                {"disk_total", 0},
                {"disk_used", 0},
                {"uptime_s", sample.uptime_s},
                {"containers", sample.containers.size()}};
  for (const messages::FilesystemSample& filesystem : sample.fs)
    if (value["disk_total"] == 0 || filesystem.mount == "/") {
      value["disk_total"] = filesystem.total;
      value["disk_used"] = filesystem.used;
    }
  double rx = 0;
  double tx = 0;
  for (const messages::InterfaceSample& interface : sample.net) {
    rx += interface.rx_bps;
    tx += interface.tx_bps;
  }
  value["rx_bps"] = rx;
  value["tx_bps"] = tx;
  return value;
}

void add_problem(json& problems, const std::string& text) {
  if (problems.size() < 20) problems.push_back(text);
}

json find_problems(const json& status) {
  json problems = json::array();
  for (const json& system : status["systems"])
    if (system["state"] != "up" && system["state"] != "off")
      add_problem(problems,
                  fmt::format("{} is {}: {}", system["name"].get<std::string>(),
                              system["state"].get<std::string>(), system["detail"].get<std::string>()));
  for (const json& machine : status["machines"])
    if (machine["state"] != "up")
      add_problem(problems, fmt::format("machine {} is {}", machine["name"].get<std::string>(),
                                        machine["state"].get<std::string>()));
  for (const json& service : status["services"]) {
    const auto name = service["name"].get<std::string>();
    const auto state = service["state"].get<std::string>();
    if (state == "failed") add_problem(problems, "service " + name + " has failed");
    if (service["health"] == "unhealthy") add_problem(problems, "service " + name + " is unhealthy");
    for (const json& sensor : service["sensors"])
      if (state == "running" && sensor["state"] != "reporting")
        add_problem(problems, fmt::format("sensor {} of {} is {}", sensor["name"].get<std::string>(), name,
                                          sensor["state"].get<std::string>()));
  }
  return problems;
}

}  // namespace

json make_machine(const messages::Machine& machine, const Observed& observed, WallTime now) {
  json value = view(machine);
  const auto report = report_of(machine, observed);
  value["report"] = report ? view(*report) : json(nullptr);
  value["state"] = report ? json(messages::to_string(report->state)) : json("unknown");
  value["cause"] = report && !report->cause.empty() ? json(report->cause) : json(nullptr);
  const std::string trouble = engine_trouble(machine, observed);
  value["engine_error"] = trouble.empty() ? json(nullptr) : json(trouble);
  const LiveMachine* seen = live(observed, machine.name);
  if (seen != nullptr && seen->sample) {
    value["usage"] = usage(*seen->sample);
    value["agent"] = seen->sample->agent;
    value["last_sample_at"] = to_rfc3339(seen->sample_at);
    value["last_sample_age_ms"] = (now - seen->sample_at).count();
  } else {
    value["usage"] = nullptr;
    value["last_sample_at"] =
        report && report->last_sample_at ? json(to_rfc3339(*report->last_sample_at)) : json(nullptr);
  }
  return value;
}

json make_status(const Observed& observed, WallTime now) {
  json status = {
      {"at", to_rfc3339(now)},
      {"documents_at", observed.documents_at ? json(to_rfc3339(*observed.documents_at)) : json(nullptr)},
      {"services", make_services(observed, now)},
      {"machines", json::array()},
      {"systems", make_systems(observed, now)}};
  for (const messages::Machine& machine : observed.documents.machines)
    status["machines"].push_back(make_machine(machine, observed, now));
  status["problems"] = find_problems(status);
  status["ok"] = status["problems"].empty();
  return status;
}

}  // namespace slipway::gateway
