#include "gateway/message_line.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "base/ids.hpp"
#include "base/time_text.hpp"
#include "gateway/systems.hpp"

namespace slipway::gateway {
namespace {

using nlohmann::json;

constexpr std::size_t kMostText = 400;

/// A text field, a number or boolean as text, or empty.
std::string text(const json& value, std::string_view name) {
  const auto found = value.find(name);
  if (found == value.end() || found->is_null()) return {};
  if (found->is_string()) return found->get<std::string>();
  return found->is_primitive() ? found->dump() : std::string{};
}

std::string inner_text(const json& value, std::string_view outer, std::string_view name) {
  const auto found = value.find(outer);
  return found != value.end() && found->is_object() ? text(*found, name) : std::string{};
}

double number(const json& value, std::string_view outer, std::string_view name) {
  const auto found = value.find(outer);
  if (found == value.end() || !found->is_object()) return 0;
  const auto inner = found->find(name);
  return inner != found->end() && inner->is_number() ? inner->get<double>() : 0;
}

/// " word text", or nothing if there is no text.
std::string with(std::string_view word, const std::string& what) {
  return what.empty() ? std::string{} : fmt::format(" {} {}", word, what);
}

std::string id_of(const json& value) {
  const std::string id = text(value, "request_id");
  return id.empty() ? std::string{} : " (" + short_id(id) + ")";
}

std::string error_of(const json& value) {
  const std::string code = inner_text(value, "error", "code");
  return code.empty() ? std::string{} : fmt::format("{}: {}", code, inner_text(value, "error", "message"));
}

std::string machine_name(const json& value) {
  const std::string name = text(value, "machine");
  return name.empty() ? inner_text(value, "machine", "name") : name;
}

std::string says_wish(const json& value) {
  const std::string action = text(value, "action");
  return fmt::format("{} {}{}{}{}", action.empty() ? "deploy" : action, text(value, "service_id"),
                     with("from", text(value, "path")), with("on", machine_name(value)), id_of(value));
}

std::string says_service_reply(const json& value) {
  const std::string error = error_of(value);
  return fmt::format("{} {}{}", text(value, "service_id"), error.empty() ? "accepted" : "refused: " + error,
                     id_of(value));
}

std::string says_status(const json& value) {
  const std::string message = text(value, "message");
  const std::string error = error_of(value);
  const std::string told = error.empty() ? message : error;
  return fmt::format("{}{} {} {}{}{}", text(value, "service_id"), with("on", text(value, "machine")),
                     text(value, "stage"), text(value, "state"), told.empty() ? "" : ": " + told,
                     id_of(value));
}

std::string says_request(const json& value) {  // sensor.requests and machine.requests
  const std::string action = text(value, "action");
  std::string what = text(value, "machine");
  if (what.empty()) what = text(value, "service_id");
  if (what.empty()) what = text(value, "sensor_id");
  if (what.empty()) what = inner_text(value, "sensor", "sensor_id");
  return fmt::format("{} {}{}{}", action, what, with("at", text(value, "docker")), id_of(value));
}

std::string says_reply(const json& value) {  // sensor.replies, machine.replies
  const std::string error = error_of(value);
  std::string what = text(value, "machine");
  if (what.empty()) what = text(value, "service_id");
  if (what.empty()) what = text(value, "sensor_id");
  std::string told = error.empty() ? "done" : error;
  const auto topics = value.find("topics");
  if (error.empty() && topics != value.end() && topics->is_object())
    for (const auto& [name, bound] : topics->items())
      if (bound.is_object()) told += fmt::format(", {} <- {}", name, text(bound, "topic"));
  return fmt::format("{} {}{}", what, told, id_of(value));
}

std::string says_placement(const json& value) {
  const std::string machine = text(value, "machine");
  if (machine.empty() && !value.contains("error"))
    return "which machine for " + text(value, "service_id") + id_of(value);
  const std::string error = error_of(value);
  return fmt::format("{} {}{}", text(value, "service_id"),
                     error.empty() ? fmt::format("-> {}: {}", machine, text(value, "reason")) : error,
                     id_of(value));
}

std::string says_state(const json& value) {
  return fmt::format("{} is {}{}", text(value, "machine"), text(value, "state"),
                     with("because of:", text(value, "cause")));
}

std::string says_registry(const json& value) {
  const std::string name = text(value, "name");
  return fmt::format("{} at {}", name.empty() ? text(value, "machine") : name, text(value, "docker"));
}

std::string says_sample(const json& value) {
  const double total = number(value, "mem", "total");
  const double used = total > 0 ? 100.0 * (total - number(value, "mem", "available")) / total : 0;
  const auto containers = value.find("containers");
  return fmt::format("{} cpu {:.1f} % memory {:.1f} %, {} containers, sample {}", text(value, "machine"),
                     number(value, "cpu", "used"), used,
                     containers != value.end() && containers->is_array() ? containers->size() : 0,
                     text(value, "seq"));
}

std::string says_event(const json& value) {
  const std::string service = text(value, "service_id");
  const std::string machine = text(value, "machine");
  return fmt::format("{} {}{}{}{}", service.empty() ? machine : service, text(value, "event"),
                     service.empty() ? "" : with("on", machine),
                     with("with exit code", text(value, "exit_code")), with("-", text(value, "message")));
}

std::string says_output(const json& value) {
  return text(value, "service_id") + ": " + text(value, "text");
}

struct TopicWords {
  std::string topic, from, to;
  std::string (*says)(const json&);
};

std::vector<TopicWords> words_of(const messages::Topics& t) {
  const std::string anyone = "anyone";
  return {
      {t.service_requests, anyone, "Service Life Cycle Manager", says_wish},
      {t.service_replies, "Service Life Cycle Manager", "gateway", says_service_reply},
      {t.deployment_requests, anyone, "Deployment Manager", says_wish},
      {t.deployment_status, "Deployment Manager", "Service Life Cycle Manager", says_status},
      {t.deployment_output, "Deployment Manager", "gateway", says_output},
      {t.placement_requests, "Deployment Manager", "Scheduler", says_placement},
      {t.placement_replies, "Scheduler", "Deployment Manager", says_placement},
      {t.sensor_requests, anyone, "Sensor Manager", says_request},
      {t.sensor_replies, "Sensor Manager", "Deployment Manager", says_reply},
      {t.machine_requests, anyone, "Node Manager", says_request},
      {t.machine_replies, "Node Manager", "gateway", says_reply},
      {t.machine_registry, "Node Manager", "all", says_registry},
      {t.machine_state, "Heart Beat Manager", "Node Manager, Scheduler, Deployment Manager", says_state},
      {t.machine_stats, "Machine Agent", "Monitoring Service, Heart Beat Manager", says_sample},
      {t.service_events, "Deployment Manager", "Service Life Cycle Manager, Heart Beat Manager", says_event},
      {t.deadletter, "a system", "operator", nullptr},
  };
}

std::string_view header(const ports::Record& record, std::string_view name) {
  for (const ports::Header& one : record.headers)
    if (one.name == name) return one.value;
  return {};
}

/// "/deployment_manager" -> "Deployment Manager", "/machines/edge-1" -> "Machine Agent edge-1"; else as it
/// is.
std::string sender(std::string_view source, const std::string& usual) {
  if (source.empty()) return usual;
  if (source.starts_with('/')) source.remove_prefix(1);
  for (const System& system : kSystems)
    if (!system.role.empty() && source == system.role) return std::string(system.name);
  constexpr std::string_view kMachines = "machines/";
  if (source.starts_with(kMachines)) return "Machine Agent " + std::string(source.substr(kMachines.size()));
  return std::string(source);
}

std::string shorten(std::string line) {
  if (const std::size_t end = line.find('\n'); end != std::string::npos) line.resize(end);
  if (line.size() > kMostText) line = line.substr(0, kMostText) + "…";
  return line;
}

std::string says(const ports::Record& record, const TopicWords* words) {
  if (!record.value) return "removed" + with("", record.key.value_or(""));
  const json value = json::parse(*record.value, nullptr, false);
  if (words == nullptr || words->says == nullptr || !value.is_object()) {
    const std::string_view reason = header(record, "reason");
    return reason.empty() ? *record.value : std::string(reason) + ": " + *record.value;
  }
  return words->says(value);
}

}  // namespace

json message_line(const ports::Record& record, const messages::Topics& topics) {
  const std::vector<TopicWords> all = words_of(topics);
  const TopicWords* words = nullptr;
  for (const TopicWords& one : all)
    if (one.topic == record.topic) words = &one;
  std::string from = words != nullptr ? words->from : "a sensor";
  std::string to = words != nullptr ? words->to : "services";
  // A reply goes back to whoever asked; Deployment Manager's questions carry "<request id>:<epoch>".
  if (record.topic == topics.machine_replies || record.topic == topics.sensor_replies) {
    const json value = json::parse(record.value.value_or(""), nullptr, false);
    const bool deployer = value.is_object() && text(value, "correlation_id").find(':') != std::string::npos;
    to = deployer ? "Deployment Manager" : "gateway";
  }
  return {{"time", to_rfc3339(record.timestamp)},
          {"from", sender(header(record, "ce_source"), from)},
          {"to", std::move(to)},
          {"topic", record.topic},
          {"key", record.key ? json(*record.key) : json(nullptr)},
          {"place", record.place()},
          {"says", shorten(says(record, words))}};
}

}  // namespace slipway::gateway
