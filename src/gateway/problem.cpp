#include "gateway/problem.hpp"

#include <nlohmann/json.hpp>
#include <utility>

#include "messages/deployment_status.hpp"

namespace slipway::gateway {
namespace {

using nlohmann::json;

std::string_view title(int status) {
  switch (status) {
    case 400:
      return "Not a valid request";
    case 403:
      return "Not allowed";
    case 404:
      return "No such thing";
    case 405:
      return "Not with this method";
    case 409:
      return "Conflict";
    case 503:
      return "Not reachable";
    case 504:
      return "No answer in time";
    default:
      return "Internal error";
  }
}

Error unreachable(Error error, const std::string& peer, const std::string& code) {
  if (!error.retryable() || error.code == code) return error;
  error.kind = ErrorKind::kUnavailable;
  error.message = peer + " is not reachable: " + error.message;
  error.code = code;
  if (error.hint.empty()) error.hint = "slipway doctor shows what is down";
  return error;
}

}  // namespace

int http_status(const Error& error) {
  if (error.code == "http.method") return 405;
  switch (error.kind) {
    case ErrorKind::kInvalid:
      return 400;
    case ErrorKind::kNotFound:
      return 404;
    case ErrorKind::kConflict:
      return 409;
    case ErrorKind::kUnavailable:
      return 503;
    case ErrorKind::kUnknown:
      return 504;
    case ErrorKind::kDenied:
      return 403;
    case ErrorKind::kCorrupt:
    case ErrorKind::kInternal:
      break;
  }
  return 500;
}

ports::HttpReply problem(const Error& error) {
  const int status = http_status(error);
  json body = messages::to_value(error);
  body["type"] = "about:blank";
  body["title"] = title(status);
  body["status"] = status;
  body["detail"] = error.message;
  body.erase("message");
  ports::HttpReply reply = json_reply(body);
  reply.status = status;
  reply.content_type = "application/problem+json";
  if (status == 503) reply.headers.emplace_back("Retry-After", "2");
  return reply;
}

ports::HttpReply json_reply(const json& value) {
  ports::HttpReply reply;
  reply.body = value.dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
  return reply;
}

Error of_repository(Error error) {
  return unreachable(std::move(error), "the Repository (MongoDB)", "repository.unreachable");
}

Error of_kafka(Error error) {
  return unreachable(std::move(error), "Kafka", "kafka.unreachable");
}

}  // namespace slipway::gateway
