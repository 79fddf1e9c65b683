#include "adapters/docker/api.hpp"

#include <fmt/format.h>

#include <charconv>

#include "adapters/docker/answers.hpp"

namespace slipway::docker {
namespace {

using namespace std::chrono_literals;

// "1.41" -> 1041, so that versions compare; 0 for what is none.
int version_number(std::string_view text) {
  int major = 0, minor = 0;
  const auto* end = text.data() + text.size();
  const auto first = std::from_chars(text.data(), end, major);
  if (first.ec != std::errc{} || first.ptr == end || *first.ptr != '.') return 0;
  const auto second = std::from_chars(first.ptr + 1, end, minor);
  if (second.ec != std::errc{} || second.ptr != end || major < 1 || minor < 0 || minor > 999) return 0;
  return major * 1000 + minor;
}

bool refuses_version(const http::Response& response) {
  return response.status == 400 && response.body.find("client version") != std::string::npos;
}

}  // namespace

Result<std::string> choose_version(const std::string& newest, const std::string& oldest) {
  const int theirs = version_number(newest);
  if (theirs == 0)
    return Error{ErrorKind::kCorrupt, "engine.malformed", "the engine names no API version: " + newest};
  if (theirs < version_number(kOldestApi))
    return invalid("engine.version",
                   fmt::format("the engine speaks API {} at most, {} is needed", newest, kOldestApi),
                   "Docker Engine 20.10 or newer is needed");
  if (version_number(oldest) > version_number(kNewestApi))
    return invalid(
        "engine.version",
        fmt::format("the engine speaks API {} at least, {} is the newest known here", oldest, kNewestApi),
        "this Slipway is too old for the engine");
  return theirs < version_number(kNewestApi) ? newest : std::string{kNewestApi};
}

Api::Api(http::Address address, std::string name, Log log)
    : client_(std::move(address)), name_(std::move(name)), log_(std::move(log)) {}

Error Api::transport_error(Error error) const {
  if (error.code.starts_with("http.")) error.code.replace(0, 4, "engine");
  if (error.code == "engine.too_large") error.code = "engine.malformed";
  return std::move(error).in(name_);
}

Status Api::ping() {
  http::Request request;
  request.target = "/_ping";
  request.deadline = 3s;
  auto response = client_.call(request);
  if (!response) return transport_error(std::move(response).error());
  return expect_ok(*response, "ping");
}

Result<std::string> Api::version() {
  const std::lock_guard lock{mutex_};
  if (!version_.empty()) return version_;
  http::Request request;
  request.target = "/version";
  request.deadline = 10s;
  auto response = client_.call(request);
  if (!response) return transport_error(std::move(response).error());
  SLIPWAY_TRY(expect_ok(*response, "asking for the version"));
  SLIPWAY_ASSIGN(const auto answer, parse_version(response->body));
  SLIPWAY_ASSIGN(version_, choose_version(answer.api, answer.min_api));
  log_.info("engine version agreed", {{"engine", name_}, {"api", version_}, {"engine_api", answer.api}});
  return version_;
}

Result<http::Response> Api::with_version(http::Request request, const Send& send) {
  const std::string target = request.target;
  for (bool again : {true, false}) {
    SLIPWAY_ASSIGN(const auto agreed, version());
    request.target = fmt::format("/v{}{}", agreed, target);
    auto response = send(request);
    if (!response) return transport_error(std::move(response).error());
    if (!again || !refuses_version(*response)) return response;
    const std::lock_guard lock{mutex_};  // another engine answers there now: agree anew, once
    version_.clear();
  }
  return internal_error("engine.version", "not reached");
}

Result<http::Response> Api::call(http::Request request, const std::stop_token& stop) {
  return with_version(std::move(request), [&](const http::Request& one) { return client_.call(one, stop); });
}

Result<http::Response> Api::stream(http::Request request, const http::PieceHandler& on_piece,
                                   const std::stop_token& stop, const std::function<void()>& on_head) {
  return with_version(std::move(request),
                      [&](const http::Request& one) { return client_.stream(one, on_piece, stop, on_head); });
}

Result<http::Response> Api::stream_lines(http::Request request, const http::PieceHandler& on_line,
                                         const std::stop_token& stop, const std::function<void()>& on_head) {
  return with_version(std::move(request), [&](const http::Request& one) {
    return client_.stream_lines(one, on_line, stop, on_head);
  });
}

Result<http::Response> Api::converse(http::Request request, std::string_view input,
                                     const http::PieceHandler& on_piece, const std::stop_token& stop) {
  return with_version(std::move(request),
                      [&](const http::Request& one) { return client_.converse(one, input, on_piece, stop); });
}

Status expect_ok(const http::Response& response, std::string_view doing) {
  if (response.ok() || response.status == 304) return {};
  const auto words = parse_message(response.body);
  const auto message =
      fmt::format("{}: {}", doing, words.empty() ? fmt::format("HTTP {}", response.status) : words);
  const auto says = [&](std::string_view part) { return words.find(part) != std::string::npos; };
  switch (response.status) {
    case 400:
      return invalid("engine.refused", message);
    case 401:
    case 403:
      return denied("engine.denied", message);
    case 404:
      return not_found("engine.not_found", message);
    case 409:
      return conflict("engine.conflict", message);
    default:
      break;
  }
  if (says("no space left on device"))
    return unavailable("engine.disk_full", message,
                       "make room on the machine: docker system df shows what is used");
  if (says("port is already allocated") || says("address already in use"))
    return conflict("engine.port_taken", message, "publish another port, or stop what uses this one");
  return Error{ErrorKind::kUnknown, "engine.failed", message};
}

std::string query(std::initializer_list<std::pair<std::string_view, std::string>> parameters) {
  std::string text;
  for (const auto& [name, value] : parameters) {
    text += fmt::format("{}{}={}", text.empty() ? '?' : '&', name, http::percent_encode(value));
  }
  return text;
}

}  // namespace slipway::docker
