#include "messages/deployment_status.hpp"

#include <array>
#include <nlohmann/json.hpp>

#include "base/time_text.hpp"
#include "messages/fields.hpp"
#include "messages/strict_json.hpp"

namespace slipway::messages {
namespace {

using nlohmann::json;

// In the order of the enumerations.
constexpr std::array<std::string_view, 10> kStages{"accepted",    "fetched", "validated", "built",
                                                   "agent_ready", "bound",   "started",   "healthy",
                                                   "flowing",     "done"};
constexpr std::array<std::string_view, 11> kStates{"running",    "waiting",   "succeeded", "warning",
                                                   "completed",  "failed",    "rejected",  "stale",
                                                   "superseded", "cancelled", "expired"};
constexpr std::array<std::string_view, 8> kKinds{"invalid", "not_found", "conflict", "unavailable",
                                                 "unknown", "denied",    "corrupt",  "internal"};

template <class Enum, std::size_t N>
std::optional<Enum> find_in(const std::array<std::string_view, N>& names, std::string_view text) {
  for (std::size_t i = 0; i < N; ++i)
    if (names[i] == text) return static_cast<Enum>(i);
  return std::nullopt;
}

json or_null(const std::string& text) {
  return text.empty() ? json(nullptr) : json(text);
}
template <class T>
json or_null(const std::optional<T>& value) {
  return value ? json(*value) : json(nullptr);
}

template <class Enum, std::size_t N>
Enum required_word(const Fields& fields, std::string_view name,
                   const std::array<std::string_view, N>& words) {
  const std::string text = fields.required_text(name);
  const auto found = find_in<Enum>(words, text);
  if (!found && !text.empty()) fields.add_problem("message.invalid", name, "is an unknown word");
  return found.value_or(Enum{});
}

std::optional<Error> read_error(const Fields& fields, std::string& error_stage) {
  const auto inner = fields.object("error");
  if (!inner) return std::nullopt;
  error_stage = inner->text("stage");
  return error_from_value(*fields.find("error"));
}

}  // namespace

std::string_view to_string(Stage stage) {
  return kStages[static_cast<std::size_t>(stage)];
}
std::string_view to_string(State state) {
  return kStates[static_cast<std::size_t>(state)];
}
std::optional<Stage> parse_stage(std::string_view text) {
  return find_in<Stage>(kStages, text);
}
std::optional<State> parse_state(std::string_view text) {
  return find_in<State>(kStates, text);
}

json to_value(const Error& error) {
  json out{{"code", error.code},
           {"kind", kKinds[static_cast<std::size_t>(error.kind)]},
           {"message", error.message}};
  put_text(out, "where", error.where);
  put_text(out, "hint", error.hint);
  if (!error.last_logs.empty()) out["last_logs"] = error.last_logs;
  return out;
}

Error error_from_value(const json& value) {
  Problems ignored;  // an error that is half readable is still an error
  const Fields fields(value, "", ignored);
  const TextRule log_line{nullptr, "", 64UL * 1024};
  Error error;
  error.kind = find_in<ErrorKind>(kKinds, fields.text("kind")).value_or(ErrorKind::kInvalid);
  error.code = fields.text("code");
  error.message = fields.text("message", log_line);
  error.where = fields.text("where");
  error.hint = fields.text("hint", log_line);
  error.last_logs = fields.list("last_logs", 1000);
  return error;
}

json to_value(const DeploymentStatus& status) {
  json out{{"request_id", status.request_id},
           {"service_id", status.service_id},
           {"release", or_null(status.release)},
           {"machine", or_null(status.machine)},
           {"seq", status.seq},
           {"stage", to_string(status.stage)},
           {"state", to_string(status.state)},
           {"final", status.final},
           {"at", to_rfc3339(status.at)},
           {"took_ms", status.took ? json(status.took->count()) : json(nullptr)},
           {"message", status.message},
           {"image", or_null(status.image)},
           {"container_id", or_null(status.container_id)},
           {"topics", status.topics},
           {"error", status.error ? to_value(*status.error) : json(nullptr)},
           {"serving", or_null(status.serving)}};
  if (status.error && !status.error_stage.empty()) out["error"]["stage"] = status.error_stage;
  if (status.unchanged) out["unchanged"] = true;
  put_text(out, "correlation_id", status.correlation_id);
  return out;
}

Result<DeploymentStatus> status_from_value(const json& value) {
  Problems problems;
  const Fields fields(value, "", problems);
  const TextRule long_text{nullptr, "", 64UL * 1024};
  DeploymentStatus status;
  status.request_id = fields.required_text("request_id", kRequestId);
  status.service_id = fields.text("service_id");  // empty where a refused request named none
  status.release = fields.integer("release");
  status.machine = fields.text("machine");
  if (!fields.has("seq")) fields.add_problem("message.invalid", "seq", "is missing");
  status.seq = fields.integer("seq", 1).value_or(0);
  status.stage = required_word<Stage>(fields, "stage", kStages);
  status.state = required_word<State>(fields, "state", kStates);
  status.final = fields.flag("final");
  status.at = fields.required_time("at");
  if (const auto took = fields.integer("took_ms")) status.took = milliseconds{*took};
  status.message = fields.text("message", long_text);
  status.image = fields.text("image");
  status.container_id = fields.text("container_id");
  status.topics = fields.texts("topics", 1000);
  status.error = read_error(fields, status.error_stage);
  status.serving = fields.integer("serving");
  status.unchanged = fields.flag("unchanged");
  status.correlation_id = fields.text("correlation_id");
  if (auto error = message_error(problems, "deployment status")) return *std::move(error);
  return status;
}

std::string to_json(const DeploymentStatus& status) {
  return dump(to_value(status));
}

Result<DeploymentStatus> parse_deployment_status(std::string_view text) {
  SLIPWAY_ASSIGN(const json value, open_message(text));
  return status_from_value(value);
}

}  // namespace slipway::messages
