#include <fmt/format.h>

#include <deque>
#include <thread>

#include "adapters/docker/answers.hpp"
#include "adapters/docker/docker_engine.hpp"
#include "adapters/docker/json_fields.hpp"
#include "adapters/docker/log_stream.hpp"

namespace slipway::docker {
namespace {

using namespace std::chrono_literals;
constexpr std::size_t kLogBytes = 8U << 20;     // of the last lines that are kept
constexpr std::size_t kExecOutput = 64U << 10;  // of an exec

http::Request log_request(const std::string& id, std::size_t tail, bool follow, bool timestamps) {
  return make_request("GET", container_path(id, "/logs") + query({{"stdout", "1"},
                                                                  {"stderr", "1"},
                                                                  {"tail", std::to_string(tail)},
                                                                  {"follow", follow ? "1" : "0"},
                                                                  {"timestamps", timestamps ? "1" : "0"}}));
}

Error exec_gone(const std::string& id) {
  return conflict("engine.not_running",
                  fmt::format("the container {:.12} ended while a command ran in it", id));
}

// The engine's own no, in contrast to a call that did not get through.
bool engine_refused(const Error& error) {
  return error.code == "engine.failed" || error.code == "engine.refused" || error.code == "engine.conflict" ||
         error.code == "engine.not_found";
}

}  // namespace

Result<std::vector<std::string>> DockerEngine::last_logs(const std::string& id, std::size_t tail) {
  std::deque<std::string> lines;
  std::size_t bytes = 0;
  LogStream stream{[&](std::string_view line) {
    lines.emplace_back(line);
    bytes += line.size();
    while (lines.size() > tail || bytes > kLogBytes) {
      bytes -= lines.front().size();
      lines.pop_front();
    }
    return true;
  }};
  SLIPWAY_ASSIGN(const auto response,
                 api_.stream(log_request(id, tail, false, false),
                             [&](std::string_view piece) { return stream.feed(piece); }));
  stream.finish();
  SLIPWAY_TRY(expect_ok(response, "reading the logs"));
  SLIPWAY_TRY(stream.status());
  return std::vector<std::string>(lines.begin(), lines.end());
}

Status DockerEngine::follow_logs(const std::string& id, const ports::LogOptions& options,
                                 const ports::LineHandler& on_line, const std::stop_token& stop) {
  LogStream stream{[&](std::string_view line) {
    on_line(line);
    return true;
  }};
  auto request = log_request(id, options.tail, options.follow, options.timestamps);
  if (options.follow) request.deadline = {};
  auto response =
      api_.stream(std::move(request), [&](std::string_view piece) { return stream.feed(piece); }, stop);
  stream.finish();
  if (stop.stop_requested()) return {};
  if (!response) return std::move(response).error();
  SLIPWAY_TRY(expect_ok(*response, "reading the logs"));
  return stream.status();
}

Result<std::string> DockerEngine::create_exec(const std::string& id, const ports::ExecSpec& spec) {
  Json body{{"AttachStdin", !spec.input.empty()},
            {"AttachStdout", true},
            {"AttachStderr", true},
            {"Cmd", spec.argv}};
  if (!spec.user.empty()) body["User"] = spec.user;
  auto request = make_request("POST", container_path(id, "/exec"), dump(body));
  SLIPWAY_ASSIGN(const auto response, api_.call(std::move(request)));
  if (auto status = expect_ok(response, "preparing a command in the container"); !status) {
    auto error = std::move(status).error();
    if (response.status == 409) error.code = "engine.not_running";
    return error;
  }
  return parse_id(response.body);
}

// The stream may end a moment before the engine has taken note of the exit code.
Result<int> DockerEngine::exec_exit_code(const std::string& exec_id) {
  for (int tries = 0; tries < 50; ++tries) {
    SLIPWAY_ASSIGN(const auto response, api_.call(make_request("GET", "/exec/" + exec_id + "/json")));
    SLIPWAY_TRY(expect_ok(response, "asking for the exit code of a command"));
    SLIPWAY_ASSIGN(const auto state, parse_exec(response.body));
    if (!state.running && state.exit_code) return *state.exit_code;
    std::this_thread::sleep_for(20ms);
  }
  return Error{ErrorKind::kUnknown, "engine.timeout", "the engine does not say how the command ended"};
}

// Whether the container has ended; `in_doubt`: it may be about to, the engine takes note of it a moment
// later.
bool DockerEngine::has_ended(const std::string& id, bool in_doubt) {
  for (int tries = in_doubt ? 50 : 1; tries > 0; --tries) {
    const auto container = inspect(id);
    if (!container) return false;  // it does not say: the command's own result stands
    if (!*container || !(*container)->running) return true;
    if (tries > 1) std::this_thread::sleep_for(20ms);
  }
  return false;
}

Result<ports::ExecResult> DockerEngine::run_exec(const std::string& exec_id, const ports::ExecSpec& spec,
                                                 const std::stop_token& stop) {
  ports::ExecResult result;
  LogStream stream{[&](std::string_view line) {
    if (spec.on_line) spec.on_line(line);
    if (result.output.size() + line.size() < kExecOutput) result.output.append(line).append("\n");
    return true;
  }};
  auto request = make_request("POST", "/exec/" + exec_id + "/start", R"({"Detach":false,"Tty":false})");
  request.deadline = spec.deadline;
  auto response = api_.converse(
      std::move(request), spec.input, [&](std::string_view piece) { return stream.feed(piece); }, stop);
  stream.finish();
  if (!response) return std::move(response).error();
  if (response->status != 101) SLIPWAY_TRY(expect_ok(*response, "running a command in the container"));
  SLIPWAY_TRY(stream.status());
  SLIPWAY_ASSIGN(result.exit_code, exec_exit_code(exec_id));
  return result;
}

Result<ports::ExecResult> DockerEngine::exec(const std::string& id, const ports::ExecSpec& spec,
                                             const std::stop_token& stop) {
  constexpr int kKilled = 137;
  auto exec_id = create_exec(id, spec);
  if (!exec_id) {
    if (exec_id.error().code == "engine.failed" && has_ended(id, true)) return exec_gone(id);
    return std::move(exec_id).error();
  }
  auto result = run_exec(*exec_id, spec, stop);
  if (result && result->exit_code == 0) return result;
  if (!result && !engine_refused(result.error())) return result;
  // A command that was killed with its container, or came too late to it, has not failed by itself.
  const bool in_doubt = !result || result->exit_code == kKilled;
  if (has_ended(id, in_doubt)) return exec_gone(id);
  return result;
}

Status DockerEngine::watch(const std::string& label, const std::function<void()>& on_ready,
                           const std::function<void(const ports::EngineEvent&)>& on_event,
                           const std::stop_token& stop) {
  // The engine answers a moment before it listens: from its own clock's now on, nothing is missed.
  SLIPWAY_ASSIGN(const auto facts, api_.call(make_request("GET", "/info"), stop));
  SLIPWAY_TRY(expect_ok(facts, "asking for the engine's clock"));
  SLIPWAY_ASSIGN(const auto info, parse_info(facts.body));
  const Json filters{
      {"type", {"container"}},
      {"label", Json::array({label})},
      {"event", {"create", "start", "die", "oom", "stop", "destroy", "health_status", "kill"}}};
  auto request = make_request("GET", "/events" + query({{"since", info.now}, {"filters", dump(filters)}}));
  request.deadline = {};
  Status broken;
  auto response = api_.stream_lines(
      std::move(request),
      [&](std::string_view line) {
        if (line.empty()) return true;
        auto event = parse_event(line);
        if (!event) {
          broken = std::move(event).error();
          return false;
        }
        if (*event) on_event(**event);
        return true;
      },
      stop, on_ready);
  if (stop.stop_requested()) return {};
  if (!response) return std::move(response).error();
  SLIPWAY_TRY(expect_ok(*response, "watching events"));
  SLIPWAY_TRY(std::move(broken));
  return unavailable("engine.watch_broken", "the engine ended its stream of events");
}

}  // namespace slipway::docker
