#include "messages/placement.hpp"

#include <nlohmann/json.hpp>

#include "messages/deployment_status.hpp"
#include "messages/envelope.hpp"
#include "messages/strict_json.hpp"

namespace slipway::messages {

using nlohmann::json;

Result<Parsed<PlacementRequest>> parse_placement_request(std::string_view text,
                                                         const std::optional<std::string>& key,
                                                         const RecordPlace& place) {
  SLIPWAY_ASSIGN(Envelope envelope, open_request(text, place));
  const Fields fields = envelope.fields();
  Parsed<PlacementRequest> parsed;
  parsed.request.request_id = envelope.request_id;
  parsed.request.service_id = fields.required_text("service_id", kServiceName);
  parsed.request.correlation_id = fields.text("correlation_id");
  envelope.check_key(key, parsed.request.service_id, "service_id");
  parsed.refusal = envelope.problems.refusal();
  return parsed;
}

std::string to_json(const PlacementRequest& request) {
  json out{{"request_id", request.request_id}, {"service_id", request.service_id}};
  put_text(out, "correlation_id", request.correlation_id);
  return dump(out);
}

Result<PlacementReply> parse_placement_reply(std::string_view text) {
  SLIPWAY_ASSIGN(const json value, open_message(text));
  Problems problems;
  const Fields fields(value, "", problems);
  PlacementReply reply;
  reply.request_id = fields.required_text("request_id", kQuestionId);
  reply.service_id = fields.text("service_id");
  reply.correlation_id = fields.text("correlation_id");
  reply.machine = fields.text("machine");
  reply.reason = fields.text("reason");
  reply.refused = fields.texts("refused", 10'000);
  if (fields.object("error")) reply.error = error_from_value(*fields.find("error"));
  if (reply.machine.empty() && !reply.error)
    fields.add_problem("message.invalid", "machine", "is missing, and so is an error");
  if (auto error = message_error(problems, "placement reply")) return *std::move(error);
  return reply;
}

std::string to_json(const PlacementReply& reply) {
  json out{{"request_id", reply.request_id},
           {"service_id", reply.service_id},
           {"machine", reply.machine.empty() ? json(nullptr) : json(reply.machine)},
           {"error", reply.error ? to_value(*reply.error) : json(nullptr)}};
  put_text(out, "reason", reply.reason);
  if (!reply.refused.empty()) out["refused"] = reply.refused;
  put_text(out, "correlation_id", reply.correlation_id);
  return dump(out);
}

}  // namespace slipway::messages
