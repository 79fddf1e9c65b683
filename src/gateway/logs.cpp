#include "gateway/logs.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "gateway/problem.hpp"

namespace slipway::gateway {
namespace {

using nlohmann::json;

constexpr std::size_t kMostLines = 10'000;
constexpr std::size_t kUsualLines = 100;
constexpr std::size_t kMostFollowers = 32;
constexpr milliseconds kLookAgain{1'000};
constexpr milliseconds kFullPause{50};
constexpr std::size_t kMostText = 64 * 1024;

std::string line_of(std::string_view event, const json& data) {
  return json{{"event", event}, {"data", data}}.dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
}

Result<std::size_t> read_tail(const ports::HttpRequest& request) {
  const auto found = request.query.find("tail");
  if (found == request.query.end()) return kUsualLines;
  const std::string& text = found->second;
  if (text.empty() || text.size() > 9 ||
      !std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; }))
    return invalid("http.parameter", "tail must be a number of lines");
  return std::min(kMostLines, static_cast<std::size_t>(std::stoul(text)));
}

/// Waits for room rather than dropping a line; false when the client is gone.
bool push(Clock& clock, ports::HttpStream& stream, const std::string& line, const std::stop_token& stop) {
  for (;;) {
    switch (stream.push(line)) {
      case ports::HttpStream::Pushed::kTaken:
        return true;
      case ports::HttpStream::Pushed::kClosed:
        return false;
      case ports::HttpStream::Pushed::kFull:
        break;
    }
    if (!clock.sleep(kFullPause, stop)) return false;
  }
}

Error no_container(const std::string& service) {
  return not_found("logs.none", "no container of " + service + " is there", "slipway status shows what runs");
}

}  // namespace

Logs::~Logs() {
  const std::scoped_lock lock(mutex_);
  for (const auto& follower : followers_) follower->stop.request_stop();
  followers_.clear();
}

void Logs::add_route(Router& router) {
  router.add(
      "GET", "/api/v1/services/{service}/logs",
      [this](const ports::HttpRequest& request, const Params& params) { return answer(request, params); });
}

Result<Logs::Source> Logs::find_source(const std::string& service) {
  auto instances = world_.repository.instances().where("service_id", service, 50);
  if (!instances) return of_repository(instances.error());
  const auto newest = std::ranges::max_element(*instances, {}, [](const ports::Instance& instance) {
    return std::pair(instance.state == "running" || instance.state == "starting", instance.since);
  });
  if (newest == instances->end() || newest->container_id.empty()) return no_container(service);
  auto machine = world_.repository.machines().find(newest->machine);
  if (!machine) return of_repository(machine.error());
  if (!*machine) return not_found("machine.not_found", "machine " + newest->machine + " is not registered");
  SLIPWAY_ASSIGN(auto engine, world_.engines.open((*machine)->machine.docker, (*machine)->machine.tls));
  return Source{newest->container_id, newest->container_name, newest->machine, std::move(engine)};
}

Result<ports::HttpReply> Logs::from_failure(const std::string& service, std::size_t tail, Error otherwise) {
  auto failures = world_.repository.failures().where("service_id", service, 50);
  if (!failures) return of_repository(failures.error());
  const auto newest = std::ranges::max_element(*failures, {}, &ports::Failure::at);
  if (newest == failures->end()) return otherwise;
  std::vector<std::string> lines = newest->last_logs;
  if (lines.size() > tail) lines.erase(lines.begin(), lines.end() - static_cast<std::ptrdiff_t>(tail));
  return json_reply({{"service", service},
                     {"source", "failure"},
                     {"request_id", newest->request_id},
                     {"machine", newest->machine},
                     {"container", newest->container_id},
                     {"lines", lines}});
}

Result<ports::HttpReply> Logs::answer(const ports::HttpRequest& request, const Params& params) {
  const std::string& service = params.at("service");
  SLIPWAY_ASSIGN(const std::size_t tail, read_tail(request));
  auto known = world_.repository.services().find(service);
  if (!known) return of_repository(known.error());
  const auto lane = world_.repository.lanes().find(service);
  if (!lane) return of_repository(lane.error());
  if (!*known && !*lane)
    return not_found("service.not_found", "there is no service '" + service + "'",
                     "slipway status lists them");
  const auto wanted = request.query.find("follow");
  if (wanted != request.query.end() && wanted->second != "false") return follow(service, tail);
  const auto source = find_source(service);
  if (!source)
    return source.error().kind == ErrorKind::kNotFound ? from_failure(service, tail, source.error())
                                                       : Result<ports::HttpReply>(source.error());
  auto lines = source->engine->last_logs(source->container_id, tail);
  if (!lines)
    return lines.error().kind == ErrorKind::kNotFound ? from_failure(service, tail, lines.error())
                                                      : Result<ports::HttpReply>(lines.error());
  return json_reply({{"service", service},
                     {"source", "container"},
                     {"machine", source->machine},
                     {"container", source->container_name},
                     {"lines", *lines}});
}

void Logs::tidy() {
  std::erase_if(followers_, [](const auto& follower) { return follower->done.load(); });
}

Result<ports::HttpReply> Logs::follow(const std::string& service, std::size_t tail) {
  {
    const std::scoped_lock lock(mutex_);
    tidy();
    if (followers_.size() >= kMostFollowers)
      return unavailable("logs.too_many", "too many logs are being followed");
  }
  ports::HttpReply reply;
  reply.content_type = "application/x-ndjson";
  reply.headers.emplace_back("X-Accel-Buffering", "no");
  reply.stream = [this, service, tail](const std::shared_ptr<ports::HttpStream>& stream) {
    auto follower = std::make_shared<Follower>();
    stream->on_close([stop = follower->stop]() mutable { stop.request_stop(); });
    const std::scoped_lock lock(mutex_);
    followers_.push_back(follower);
    follower->worker = std::make_unique<Worker>(
        [this, service, tail, stream, raw = follower.get()](const std::stop_token& ending) {
          const std::stop_callback end(ending, [raw] { raw->stop.request_stop(); });
          run(service, tail, stream, raw->stop.get_token());
          stream->finish();
          raw->done = true;
        });
  };
  return reply;
}

void Logs::run(const std::string& service, std::size_t tail, const std::shared_ptr<ports::HttpStream>& stream,
               const std::stop_token& stop) {
  std::string last_container;
  std::string last_error;
  while (!stop.stop_requested() && !stream->closed()) {
    const auto source = find_source(service);
    if (source && source->container_id != last_container) {
      last_container = source->container_id;
      last_error.clear();
      push(world_.clock, *stream,
           line_of("container", {{"container", source->container_name}, {"machine", source->machine}}), stop);
      const auto on_line = [&](std::string_view text) {
        push(world_.clock, *stream,
             line_of("log", {{"container", source->container_name}, {"text", text.substr(0, kMostText)}}),
             stop);
      };
      const Status ended =
          source->engine->follow_logs(source->container_id, {true, tail, false}, on_line, stop);
      if (!ended && !stop.stop_requested())
        last_container.clear();       // the connection broke: go on where it was
      tail = ended ? kMostLines : 0;  // of the next container all that it says
    } else if (!source && source.error().message != last_error) {
      last_error = source.error().message;
      push(world_.clock, *stream, line_of("note", {{"text", last_error}}), stop);
    }
    world_.clock.sleep(kLookAgain, stop);
  }
}

}  // namespace slipway::gateway
