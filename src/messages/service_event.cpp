#include "messages/service_event.hpp"

#include <nlohmann/json.hpp>

#include "base/time_text.hpp"
#include "messages/deployment_status.hpp"
#include "messages/fields.hpp"
#include "messages/strict_json.hpp"

namespace slipway::messages {
namespace {

using nlohmann::json;

constexpr std::string_view kEvents[] = {"started", "died",        "oom",        "health",
                                        "drift",   "engine_lost", "engine_back"};

bool is_event(std::string_view text) {
  for (const auto& event : kEvents)
    if (event == text) return true;
  return false;
}
const TextRule kEvent{is_event, "one of started died oom health drift engine_lost engine_back", 20};
const TextRule kLine{nullptr, "", 64UL * 1024};

}  // namespace

std::string to_json(const ServiceEvent& event) {
  json out{{"event", event.event}, {"machine", event.machine}, {"at", to_rfc3339(event.at)}};
  put_text(out, "service_id", event.service_id);
  if (event.release) out["release"] = *event.release;
  if (event.replica > 0) out["replica"] = event.replica;
  put_text(out, "container_id", event.container_id);
  if (event.exit_code) out["exit_code"] = *event.exit_code;
  put_text(out, "health", event.health);
  put_text(out, "message", event.message);
  return dump(out);
}

Result<ServiceEvent> parse_service_event(std::string_view text) {
  SLIPWAY_ASSIGN(const json value, open_message(text));
  Problems problems;
  const Fields fields(value, "", problems);
  ServiceEvent event;
  event.event = fields.required_text("event", kEvent);
  event.machine = fields.required_text("machine", kMachineName);
  event.service_id = fields.text("service_id", kServiceName);
  event.release = fields.integer("release");
  event.replica = static_cast<int>(fields.integer("replica", 0, 10'000).value_or(0));
  event.container_id = fields.text("container_id");
  event.at = fields.required_time("at");
  if (const auto code = fields.integer("exit_code", -1000, 1000)) event.exit_code = static_cast<int>(*code);
  event.health = fields.text("health");
  event.message = fields.text("message", kLine);
  if (auto error = message_error(problems, "service event")) return *std::move(error);
  return event;
}

std::string to_json(const BuildOutput& output) {
  return dump({{"request_id", output.request_id},
               {"service_id", output.service_id},
               {"machine", output.machine},
               {"at", to_rfc3339(output.at)},
               {"text", output.text}});
}

Result<BuildOutput> parse_build_output(std::string_view text) {
  SLIPWAY_ASSIGN(const json value, open_message(text));
  Problems problems;
  const Fields fields(value, "", problems);
  BuildOutput output;
  output.request_id = fields.required_text("request_id", kRequestId);
  output.service_id = fields.required_text("service_id", kServiceName);
  output.machine = fields.text("machine");
  output.at = fields.required_time("at");
  output.text = fields.text("text", kLine);
  if (auto error = message_error(problems, "build output")) return *std::move(error);
  return output;
}

std::string to_json(const ServiceReply& reply) {
  json out{{"request_id", reply.request_id},
           {"service_id", reply.service_id},
           {"accepted", reply.accepted},
           {"error", reply.error ? to_value(*reply.error) : json(nullptr)}};
  put_text(out, "correlation_id", reply.correlation_id);
  return dump(out);
}

Result<ServiceReply> parse_service_reply(std::string_view text) {
  SLIPWAY_ASSIGN(const json value, open_message(text));
  Problems problems;
  const Fields fields(value, "", problems);
  ServiceReply reply;
  reply.request_id = fields.required_text("request_id", kRequestId);
  reply.service_id = fields.text("service_id");
  reply.accepted = fields.flag("accepted");
  if (fields.object("error")) reply.error = error_from_value(*fields.find("error"));
  reply.correlation_id = fields.text("correlation_id");
  if (auto error = message_error(problems, "service reply")) return *std::move(error);
  return reply;
}

}  // namespace slipway::messages
