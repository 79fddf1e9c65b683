#include "messages/machine.hpp"

#include <array>
#include <limits>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/text.hpp"
#include "base/time_text.hpp"
#include "messages/deployment_status.hpp"
#include "messages/envelope.hpp"
#include "messages/strict_json.hpp"

namespace slipway::messages {
namespace {

using nlohmann::json;

// In the order of the enumerations.
constexpr std::array<std::string_view, 4> kStates{"up", "suspect", "down", "unknown"};
constexpr std::array<std::string_view, 6> kActions{"add", "label", "cordon", "uncordon", "drain", "remove"};

MachineAction read_action(const Fields& fields) {
  const std::string text = fields.required_text("action");
  if (text.empty()) return MachineAction::kAdd;
  for (std::size_t i = 0; i < kActions.size(); ++i) {
    if (kActions[i] != text) continue;
    const auto action = static_cast<MachineAction>(i);
    if (action == MachineAction::kCordon || action == MachineAction::kUncordon ||
        action == MachineAction::kDrain)
      fields.add_problem("request.not_yet", "action", text + " is not acted on in this release");
    return action;
  }
  const std::vector<std::string> known(kActions.begin(), kActions.end());
  const auto near = did_you_mean(text, known);
  fields.add_problem("request.action", "action", "is none of " + join(known, " "),
                     near ? "did you mean \"" + *near + "\"?" : "");
  return MachineAction::kAdd;
}

MachineStateReport read_state(const Fields& fields) {
  MachineStateReport report;
  report.machine = fields.required_text("machine", kMachineName);
  const std::string state = fields.required_text("state");
  bool known = false;
  for (std::size_t i = 0; i < kStates.size(); ++i) {
    if (kStates[i] != state) continue;
    report.state = static_cast<MachineState>(i);
    known = true;
  }
  if (!known && !state.empty()) fields.add_problem("message.invalid", "state", "is an unknown word");
  report.cause = fields.text("cause");
  report.since = fields.required_time("since");
  constexpr auto kLeast = std::numeric_limits<std::int64_t>::min();
  report.clock_offset_ms = fields.integer("clock_offset_ms", kLeast).value_or(0);
  report.last_seq = fields.integer("last_seq").value_or(0);
  report.last_sample_at = fields.time("last_sample_at");
  return report;
}

json to_value(const MachineStateReport& report) {
  json out{{"machine", report.machine},
           {"state", to_string(report.state)},
           {"cause", report.cause.empty() ? json(nullptr) : json(report.cause)},
           {"since", to_rfc3339(report.since)},
           {"clock_offset_ms", report.clock_offset_ms},
           {"last_seq", report.last_seq}};
  put_time(out, "last_sample_at", report.last_sample_at);
  return out;
}

Machine read_machine(const Fields& fields) {
  Machine machine;
  machine.name = fields.required_text("name", kMachineName);
  machine.docker = fields.text("docker");
  machine.tls = fields.text("tls");
  machine.labels = fields.texts("labels", 100);
  if (fields.has("origin")) machine.origin = fields.text("origin");
  machine.facts = fields.texts("facts", 100);
  machine.engine_error = fields.text("engine_error");
  machine.cordoned = fields.flag("cordoned");
  machine.removed = fields.flag("removed");
  machine.registered_at = fields.time("registered_at").value_or(WallTime{});
  if (const auto state = fields.object("state")) machine.state = read_state(*state);
  return machine;
}

json to_value(const Machine& machine) {
  json out{{"name", machine.name},
           {"docker", machine.docker},
           {"labels", machine.labels},
           {"origin", machine.origin},
           {"facts", machine.facts},
           {"cordoned", machine.cordoned},
           {"registered_at", to_rfc3339(machine.registered_at)}};
  put_text(out, "tls", machine.tls);
  put_text(out, "engine_error", machine.engine_error);
  if (machine.removed) out["removed"] = true;
  if (machine.state) out["state"] = to_value(*machine.state);
  return out;
}

}  // namespace

std::string_view to_string(MachineState state) {
  return kStates[static_cast<std::size_t>(state)];
}
std::string_view to_string(MachineAction action) {
  return kActions[static_cast<std::size_t>(action)];
}

Result<Parsed<MachineRequest>> parse_machine_request(std::string_view text,
                                                     const std::optional<std::string>& key,
                                                     const RecordPlace& place) {
  SLIPWAY_ASSIGN(Envelope envelope, open_request(text, place));
  const Fields fields = envelope.fields();
  Parsed<MachineRequest> parsed;
  MachineRequest& request = parsed.request;
  request.request_id = envelope.request_id;
  request.action = read_action(fields);
  request.machine = fields.required_text("machine", kMachineName);
  request.docker = fields.text("docker");
  request.tls = fields.text("tls", kMachineName);
  request.labels = fields.texts("labels", 100);
  if (fields.has("origin")) request.origin = fields.text("origin");
  if (request.origin != "person" && request.origin != "request")
    fields.add_problem("request.invalid", "origin", "is neither person nor request");
  request.requested_by = fields.text("requested_by");
  request.correlation_id = fields.text("correlation_id");
  if (fields.has("ssh"))
    fields.add_problem("request.not_yet", "ssh", "machines behind SSH are not acted on yet");
  if (request.action == MachineAction::kAdd && !fields.has("docker"))
    fields.add_problem("request.invalid", "docker", "is missing",
                       "unix:///var/run/docker.sock or tcp://host:port");
  envelope.check_key(key, request.machine, "machine");
  parsed.refusal = envelope.problems.refusal();
  return parsed;
}

std::string to_json(const MachineRequest& request) {
  json out{{"request_id", request.request_id},
           {"action", to_string(request.action)},
           {"machine", request.machine}};
  put_text(out, "docker", request.docker);
  put_text(out, "tls", request.tls);
  if (!request.labels.empty()) out["labels"] = request.labels;
  if (request.origin != "person") out["origin"] = request.origin;
  put_text(out, "requested_by", request.requested_by);
  put_text(out, "correlation_id", request.correlation_id);
  return dump(out);
}

Result<MachineReply> parse_machine_reply(std::string_view text) {
  SLIPWAY_ASSIGN(const json value, open_message(text));
  Problems problems;
  const Fields fields(value, "", problems);
  MachineReply reply;
  reply.request_id = fields.required_text("request_id", kQuestionId);
  reply.machine = fields.text("machine");
  reply.unchanged = fields.flag("unchanged");
  if (const auto machine = fields.object("registered")) reply.registered = read_machine(*machine);
  if (fields.object("error")) reply.error = error_from_value(*fields.find("error"));
  reply.correlation_id = fields.text("correlation_id");
  if (auto error = message_error(problems, "machine reply")) return *std::move(error);
  return reply;
}

std::string to_json(const MachineReply& reply) {
  json out{{"request_id", reply.request_id},
           {"machine", reply.machine},
           {"error", reply.error ? to_value(*reply.error) : json(nullptr)}};
  if (reply.unchanged) out["unchanged"] = true;
  if (reply.registered) out["registered"] = to_value(*reply.registered);
  put_text(out, "correlation_id", reply.correlation_id);
  return dump(out);
}

Result<Machine> parse_machine(std::string_view text) {
  SLIPWAY_ASSIGN(const json value, open_message(text));
  Problems problems;
  Machine machine = read_machine(Fields(value, "", problems));
  if (auto error = message_error(problems, "machine")) return *std::move(error);
  return machine;
}

std::string to_json(const Machine& machine) {
  return dump(to_value(machine));
}

Result<MachineStateReport> parse_machine_state(std::string_view text) {
  SLIPWAY_ASSIGN(const json value, open_message(text));
  Problems problems;
  MachineStateReport report = read_state(Fields(value, "", problems));
  if (auto error = message_error(problems, "machine state")) return *std::move(error);
  return report;
}

std::string to_json(const MachineStateReport& report) {
  return dump(to_value(report));
}

}  // namespace slipway::messages
