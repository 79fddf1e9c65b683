#include "gateway/requests.hpp"

#include <nlohmann/json.hpp>
#include <utility>

#include "base/ids.hpp"
#include "gateway/problem.hpp"
#include "messages/deployment_request.hpp"
#include "messages/deployment_status.hpp"
#include "messages/machine.hpp"
#include "messages/sensor.hpp"
#include "messages/service_event.hpp"

namespace slipway::gateway {
namespace {

using nlohmann::json;

constexpr const char* kSource = "/gateway";

/// Reads a body by the contract's own parser; a missing request id is a fresh one here (on Kafka it would be
/// derived from the record's place).
template <class Request, class Parse>
Result<Request> read_request(World& world, const std::string& body, Parse parse) {
  const messages::RecordPlace place{"http", "", 0, 0, 0};
  SLIPWAY_ASSIGN(messages::Parsed<Request> parsed, parse(body, std::nullopt, place));
  if (parsed.refusal) return *parsed.refusal;
  if (parsed.request.request_id == messages::derived_request_id(place))
    parsed.request.request_id = make_id("r-", world.clock.now());
  return std::move(parsed.request);
}

/// The owner's reply as an HTTP answer: its error as a problem, else as it is.
Result<ports::HttpReply> answer_of(const std::string& request_id, const Result<std::string>& reply) {
  if (!reply) return reply.error();
  const json value = json::parse(*reply, nullptr, false);
  if (!value.is_object())
    return internal_error("reply.invalid", "the reply to " + request_id + " is no JSON object");
  if (value.contains("error") && value["error"].is_object())
    return messages::error_from_value(value["error"]);
  return json_reply(value);
}

ports::Outgoing message(const std::string& topic, std::string key, std::string value, std::string type) {
  ports::Outgoing outgoing;
  outgoing.topic = topic;
  outgoing.subject = key;
  outgoing.key = std::move(key);
  outgoing.value = std::move(value);
  outgoing.source = kSource;
  outgoing.type = std::move(type);
  return outgoing;
}

Result<ports::HttpReply> ask_service(World& world, Replies& replies, const ports::HttpRequest& request) {
  SLIPWAY_ASSIGN(const auto wish, read_request<messages::DeploymentRequest>(
                                      world, request.body, messages::parse_deployment_request));
  return answer_of(wish.request_id,
                   replies.ask(message(world.topics.service_requests, wish.service_id,
                                       messages::to_json(wish), "slipway.service.requested.v1"),
                               wish.request_id));
}

Result<ports::HttpReply> ask_machine(World& world, Replies& replies, const ports::HttpRequest& request) {
  SLIPWAY_ASSIGN(const auto wish, read_request<messages::MachineRequest>(world, request.body,
                                                                         messages::parse_machine_request));
  return answer_of(wish.request_id,
                   replies.ask(message(world.topics.machine_requests, wish.machine, messages::to_json(wish),
                                       "slipway.machine.requested.v1"),
                               wish.request_id));
}

Result<ports::HttpReply> ask_sensor(World& world, Replies& replies, const ports::HttpRequest& request) {
  SLIPWAY_ASSIGN(const auto wish,
                 read_request<messages::SensorRequest>(world, request.body, messages::parse_sensor_request));
  const std::string key = wish.sensor ? wish.sensor->sensor_id : wish.service_id;
  return answer_of(wish.request_id,
                   replies.ask(message(world.topics.sensor_requests, key, messages::to_json(wish),
                                       "slipway.sensor.requested.v1"),
                               wish.request_id));
}

}  // namespace

void add_request_routes(Router& router, World& world, Replies& replies) {
  const auto route = [&](auto handler) {
    return [&world, &replies, handler](const ports::HttpRequest& request, const Params&) {
      return handler(world, replies, request);
    };
  };
  router.add("POST", "/api/v1/services/requests", route(ask_service));
  router.add("POST", "/api/v1/machines/requests", route(ask_machine));
  router.add("POST", "/api/v1/sensors/requests", route(ask_sensor));
}

}  // namespace slipway::gateway
