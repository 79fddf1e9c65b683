#include "messages/deployment_request.hpp"

#include <array>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/text.hpp"
#include "base/time_text.hpp"
#include "messages/envelope.hpp"
#include "messages/strict_json.hpp"

namespace slipway::messages {
namespace {

using nlohmann::json;

constexpr std::array<std::pair<Action, std::string_view>, 7> kActions{{{Action::kDeploy, "deploy"},
                                                                       {Action::kStop, "stop"},
                                                                       {Action::kStart, "start"},
                                                                       {Action::kRestart, "restart"},
                                                                       {Action::kRollback, "rollback"},
                                                                       {Action::kRemove, "remove"},
                                                                       {Action::kCancel, "cancel"}}};

constexpr std::chrono::hours kFurthestDeadline{7 * 24};

bool is_path(std::string_view text) {
  std::string_view rest = text;
  if (rest.starts_with("file://")) rest.remove_prefix(7);
  const bool is_file = rest.size() != text.size();
  if (rest.empty() || rest.starts_with('/') != is_file) return false;
  for (const auto& part : split(rest, '/'))
    if (part == "..") return false;
  for (const char c : rest)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) return false;
  return true;
}
const TextRule kPath{is_path, "a path in the Repository (a/b/c) or file:///folder; .. is refused", 512};

bool is_digest(std::string_view text) {
  if (text.starts_with("sha256:")) text.remove_prefix(7);
  return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}
const TextRule kDigest{is_digest, "a SHA-256: 64 lower-case hex digits", 71};

Action read_action(const Fields& fields) {
  const std::string text = fields.text("action");
  if (text.empty()) return Action::kDeploy;
  std::vector<std::string> known;
  for (const auto& [action, name] : kActions) {
    if (name == text) return action;
    known.emplace_back(name);
  }
  const auto near = did_you_mean(text, known);
  fields.add_problem("request.action", "action", "is none of " + join(known, " "),
                     near ? "did you mean \"" + *near + "\"?" : "");
  return Action::kDeploy;
}

std::optional<MachineRef> read_machine(const Fields& fields) {
  const json* found = fields.find("machine");
  if (found == nullptr) return std::nullopt;
  MachineRef machine;
  if (found->is_string()) {
    machine.name = fields.text("machine", kMachineName);
  } else if (found->is_array()) {
    fields.add_problem("request.not_yet", "machine", "a list of machines is not acted on in this release",
                       "send one request for each machine's service");
  } else if (const auto inline_details = fields.object("machine")) {
    machine.name = inline_details->required_text("name", kMachineName);
    machine.docker = inline_details->text("docker");
    machine.tls = inline_details->text("tls", kMachineName);
    if (inline_details->has("ssh"))
      inline_details->add_problem("request.not_yet", "ssh", "machines behind SSH are not acted on yet");
    if (!machine.tls.empty() && machine.docker.empty())
      inline_details->add_problem("request.invalid", "tls", "says nothing without docker");
  }
  return machine;
}

void check_whole(const DeploymentRequest& request, const Fields& fields, const RecordPlace& place) {
  if (request.action == Action::kDeploy && request.path.empty() && !request.release && !fields.has("path"))
    fields.add_problem("request.invalid", "path", "is missing",
                       "name the source's path in the Repository, or a release");
  if (request.action == Action::kCancel && request.cancels.empty() && !fields.has("cancels"))
    fields.add_problem("request.invalid", "cancels", "is missing", "name the request to cancel");
  if (request.deadline && place.timestamp_ms > 0 &&
      *request.deadline > from_ms(place.timestamp_ms) + kFurthestDeadline)
    fields.add_problem("request.invalid", "deadline", "is more than 7 days ahead");
  if (fields.has("force")) fields.add_problem("request.not_yet", "force", "is not acted on in this release");
}

}  // namespace

std::string_view to_string(Action action) {
  for (const auto& [value, name] : kActions)
    if (value == action) return name;
  return "unknown";
}

Result<Parsed<DeploymentRequest>> parse_deployment_request(std::string_view text,
                                                           const std::optional<std::string>& key,
                                                           const RecordPlace& place) {
  SLIPWAY_ASSIGN(Envelope envelope, open_request(text, place, is_request_id));
  const Fields fields = envelope.fields();
  Parsed<DeploymentRequest> parsed;
  DeploymentRequest& request = parsed.request;
  request.request_id = envelope.request_id;
  request.action = read_action(fields);
  request.service_id = fields.required_text("service_id", kServiceName);
  request.path = fields.text("path", kPath);
  request.machine = read_machine(fields);
  request.requested_by = fields.text("requested_by");
  request.deadline = fields.time("deadline");
  request.digest = fields.text("digest", kDigest);
  request.release = fields.integer("release", 1);
  request.expect_release = fields.integer("expect_release");
  request.cancels = fields.text("cancels", kRequestId);
  request.correlation_id = fields.text("correlation_id");
  check_whole(request, fields, place);
  envelope.check_key(key, request.service_id, "service_id");
  parsed.refusal = envelope.problems.refusal();
  if (parsed.refusal && parsed.refusal->hint.empty())
    parsed.refusal->hint = "what a request may say: contracts/messages/deployment_request.schema.json";
  return parsed;
}

std::string to_json(const DeploymentRequest& request) {
  json out{{"request_id", request.request_id},
           {"action", to_string(request.action)},
           {"service_id", request.service_id}};
  put_text(out, "path", request.path);
  if (request.machine) {
    json machine{{"name", request.machine->name}};
    put_text(machine, "docker", request.machine->docker);
    put_text(machine, "tls", request.machine->tls);
    out["machine"] = std::move(machine);
  }
  put_text(out, "requested_by", request.requested_by);
  put_time(out, "deadline", request.deadline);
  put_text(out, "digest", request.digest);
  if (request.release) out["release"] = *request.release;
  if (request.expect_release) out["expect_release"] = *request.expect_release;
  put_text(out, "cancels", request.cancels);
  put_text(out, "correlation_id", request.correlation_id);
  return dump(out);
}

}  // namespace slipway::messages
