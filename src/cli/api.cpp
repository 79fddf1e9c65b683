#include "cli/api.hpp"

#include <nlohmann/json.hpp>
#include <utility>

#include "messages/deployment_status.hpp"

namespace slipway::cli {
namespace {

using nlohmann::json;

constexpr milliseconds kUploadDeadline{10 * 60'000};
constexpr milliseconds kCallDeadline{30'000};
constexpr milliseconds kRequestDeadline{60'000};  // the server waits for Kafka and for the reply

}  // namespace

Api::Api(std::string server, std::unique_ptr<ports::HttpClient> client, std::stop_token interrupted)
    : server_(std::move(server)), client_(std::move(client)), interrupted_(std::move(interrupted)) {}

Result<Api> Api::connect(const Session& session) {
  SLIPWAY_ASSIGN(auto client, session.world.connect(session.server));
  return Api(session.server, std::move(client), session.world.interrupted);
}

Error Api::explain(Error error) const {
  if (error.code == "interrupted") return error;
  if (error.kind == ErrorKind::kUnavailable) {
    error.message = "no server answers at " + server_ + ": " + error.message;
    error.code = "server.unreachable";
    if (error.hint.empty())
      error.hint =
          "start it with ./dev up or slipway serve, or say where it is: --server URL or $SLIPWAY_URL";
  }
  return error;
}

Result<json> Api::read(const ports::HttpAnswer& answer) const {
  json value = json::parse(answer.body, nullptr, false);
  if (answer.status == 200 && !value.is_discarded()) return value;
  if (!value.is_object() || !value.contains("code"))
    return unavailable(
        "server.not_slipway",
        "what answers at " + server_ + " is no Slipway server (status " + std::to_string(answer.status) + ")",
        "check --server and $SLIPWAY_URL, and that no proxy stands between");
  if (value.contains("detail")) value["message"] = value["detail"];
  return messages::error_from_value(value);
}

Result<json> Api::call(ports::HttpCall call) {
  call.headers["Accept"] = "application/json";
  auto answer = client_->call(call, interrupted_);
  if (!answer) return explain(std::move(answer).error());
  return read(*answer);
}

Result<json> Api::get(const std::string& target, milliseconds deadline) {
  return call({.method = "GET", .target = target, .headers = {}, .body = {}, .deadline = deadline});
}

Result<json> Api::post(const std::string& target, std::string body) {
  return call({.method = "POST",
               .target = target,
               .headers = {{"Content-Type", "application/json"}},
               .body = std::move(body),
               .deadline = kRequestDeadline});
}

Result<json> Api::put(const std::string& target, std::string bytes, const std::string& content_type) {
  return call({.method = "PUT",
               .target = target,
               .headers = {{"Content-Type", content_type}},
               .body = std::move(bytes),
               .deadline = kUploadDeadline});
}

Result<json> Api::remove(const std::string& target) {
  return call({.method = "DELETE", .target = target, .headers = {}, .body = {}, .deadline = kCallDeadline});
}

Status Api::stream(const std::string& target, const EventHandler& on_event, const std::stop_token& stop) {
  bool enough = false;
  const auto on_line = [&](std::string_view line) {
    const json value = json::parse(line, nullptr, false);
    if (!value.is_object() || !value.contains("event") || !value["event"].is_string()) return true;
    const json data = value.value("data", json::object());
    enough = !on_event(value["event"].get_ref<const std::string&>(), data);
    return !enough;
  };
  auto answer = client_->stream({.method = "GET",
                                 .target = target,
                                 .headers = {{"Accept", "application/x-ndjson"}},
                                 .body = {},
                                 .deadline = kCallDeadline},
                                on_line, stop);
  if (enough) return {};
  if (!answer) return explain(std::move(answer).error());
  if (answer->status != 200) {
    auto problem = read(*answer);
    if (!problem) return std::move(problem).error();
  }
  return Error{ErrorKind::kUnknown,
               "server.stream_ended",
               "the server at " + server_ + " ended the stream",
               {},
               {},
               {}};
}

}  // namespace slipway::cli
