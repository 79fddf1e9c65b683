#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/time_text.hpp"
#include "systems/deployment_manager/container_plan.hpp"
#include "systems/deployment_manager/names.hpp"
#include "systems/deployment_manager/stages/stage.hpp"
#include "systems/deployment_manager/switch.hpp"

namespace slipway::deployment_manager {
namespace {

constexpr milliseconds kLook{100};

constexpr int kKilled = 128 + 9, kTerminated = 128 + 15, kEngineLost = 255;
constexpr std::string_view kKilledFromOutside = "service.killed";
constexpr std::chrono::seconds kEnginePatience{60};

Error died(const ports::Container& container) {
  const int code = container.exit_code;
  if (!container.oom_killed && (code == kKilled || code == kTerminated || code == kEngineLost))
    return invalid(std::string(kKilledFromOutside),
                   fmt::format("the service was killed before it was healthy: exit code {}", code),
                   "was its Engine restarted, or the container killed by hand?");
  const std::string how = container.oom_killed ? "it used more memory than its limit"
                                               : fmt::format("exit code {}", container.exit_code);
  return {ErrorKind::kInvalid,
          container.oom_killed ? "service.oom_killed" : "service.died",
          fmt::format("the service ended before it was healthy: {}", how),
          {},
          container.oom_killed ? "raise resources.memory" : "see its last lines"};
}

Result<ports::Container> look(StageContext& context) {
  const auto id = context.journal.fact("container_id");
  SLIPWAY_ASSIGN(const auto container, persistently(context.world, kEnginePatience, context.stop,
                                                    [&] { return context.machine->engine->inspect(id); }));
  if (!container) return not_found("service.gone", "the container was removed by somebody else");
  return *container;
}

bool ended(const ports::Container& container) {
  return !container.running && container.state != "created";
}

// The probe polls inside the container every 20 ms and ends when the service was healthy without a break for
// healthy_for; the exec ends with the container, so that a death is known at once.
StageResult wait_by_probe(StageContext& context, const std::vector<std::string>& argv) {
  const auto id = context.journal.fact("container_id");
  std::string last;
  ports::ExecSpec exec{.argv = argv,
                       .user = {},
                       .input = {},
                       .deadline = context.spec->update.deadline + std::chrono::seconds{10},
                       .on_line = [&](std::string_view line) { last = line; }};
  for (;;) {
    const auto result = context.machine->engine->exec(id, exec, context.stop);
    // The exec's end may be seen a moment before the container's own.
    for (int tries = 0; tries < 10; ++tries) {
      SLIPWAY_ASSIGN(const auto container, look(context));
      if (ended(container)) return died(container);
      if (result && result->exit_code == 0) return StageOutcome{.message = last, .hint = {}, .end = {}};
      if (result && result->exit_code == 1) break;
      if (!context.world.clock.sleep(kLook / 2, context.stop)) break;
    }
    if (context.stop.stop_requested())
      return conflict(std::string(kCancelled), "stopped while waiting for health");
    if (result) break;
    // The Engine was away for a moment and the service lives: asked again.
    if (!result.error().retryable() || context.world.clock.mono() >= context.deadline) return result.error();
  }
  return Error{ErrorKind::kInvalid,
               "service.unhealthy",
               fmt::format("not healthy within {}: {}", to_human(context.spec->update.deadline), last),
               {},
               "is the port right, and does it answer on 0.0.0.0 inside its container?"};
}

// No check: still running after healthy_for. A test command: must succeed once, then the same.
StageResult wait_by_looking(StageContext& context) {
  auto& world = context.world;
  const auto& spec = *context.spec;
  const bool has_test = spec.healthcheck.kind == meta_file::HealthCheck::Kind::kTest;
  const bool runs_once = spec.restart.kind == meta_file::RestartPolicy::Kind::kNever;
  const MonoTime began = world.clock.mono();
  constexpr MonoTime kNotYet = MonoTime::max();
  MonoTime good_since = has_test ? kNotYet : began;
  MonoTime next_test = began;
  std::string last = "no answer yet";
  while (world.clock.mono() < context.deadline) {
    SLIPWAY_ASSIGN(const auto container, look(context));
    if (ended(container)) {
      if (!runs_once || container.exit_code != 0) return died(container);
      return StageOutcome{.message = "exit code 0", .hint = {}, .end = messages::State::kCompleted};
    }
    if (has_test && world.clock.mono() >= next_test) {
      next_test = world.clock.mono() + std::min<milliseconds>(spec.healthcheck.interval, milliseconds{1000});
      const auto test = context.machine->engine->exec(container.id,
                                                      {.argv = spec.healthcheck.argv,
                                                       .user = {},
                                                       .input = {},
                                                       .deadline = spec.healthcheck.timeout,
                                                       .on_line = {}},
                                                      context.stop);
      if (!test || test->exit_code != 0) {
        good_since = kNotYet;
        last = test ? fmt::format("exit code {}: {}", test->exit_code, test->output) : test.error().message;
      } else if (good_since == kNotYet) {
        good_since = world.clock.mono();
      }
    }
    const bool long_enough =
        good_since != kNotYet && world.clock.mono() - good_since >= spec.update.healthy_for;
    if (long_enough && !runs_once)
      return StageOutcome{
          .message = fmt::format("running for {}", to_human(spec.update.healthy_for)), .hint = {}, .end = {}};
    if (!world.clock.sleep(kLook, context.stop))
      return conflict(std::string(kCancelled), "stopped while waiting for health");
  }
  if (runs_once)
    return StageOutcome{.message = "still running; its end will be a service event", .hint = {}, .end = {}};
  return Error{ErrorKind::kInvalid,
               "service.unhealthy",
               fmt::format("not healthy within {}: {}", to_human(spec.update.deadline), last),
               {},
               ""};
}

// `http GET :8080/healthz -> 200` and the like, for people.
std::string describe(const meta_file::ServiceSpec& spec, const StageOutcome& outcome) {
  using Kind = meta_file::HealthCheck::Kind;
  const auto& check = spec.healthcheck;
  if (check.kind == Kind::kHttp)
    return fmt::format("GET :{}{} for {}", check.port, check.path, to_human(spec.update.healthy_for));
  if (check.kind == Kind::kTcp)
    return fmt::format("tcp :{} for {}", check.port, to_human(spec.update.healthy_for));
  return outcome.message;
}

StageResult wait_for_health(StageContext& context) {
  const auto& spec = *context.spec;
  context.deadline = context.world.clock.mono() + spec.update.deadline;
  const bool runs_once = spec.restart.kind == meta_file::RestartPolicy::Kind::kNever;
  const auto argv = runs_once ? std::vector<std::string>{} : probe_wait(spec);
  return argv.empty() ? wait_by_looking(context) : wait_by_probe(context, argv);
}

}  // namespace

StageResult become_healthy(StageContext& context) {
  auto& journal = context.journal;
  const auto& spec = *context.spec;
  auto& engine = *context.machine->engine;
  const auto id = journal.fact("container_id");
  context.world.failpoints.hit(Failpoint::kStarted, journal.service());
  auto outcome = wait_for_health(context);
  const bool runs_once = spec.restart.kind == meta_file::RestartPolicy::Kind::kNever;
  if (!outcome && outcome.error().code == kKilledFromOutside && !runs_once &&
      journal.fact("started_again").empty()) {
    SLIPWAY_TRY(journal.remember({{"started_again", "1"}}));
    SLIPWAY_TRY(persistently(context.world, kEnginePatience, context.stop, [&] { return engine.start(id); }));
    outcome = wait_for_health(context);
  }
  if (!outcome) return outcome;
  if (outcome->end == messages::State::kCompleted) {
    std::vector<std::string> lines;
    if (auto logs = engine.last_logs(id, 20); logs) lines = *logs;
    for (const auto& line : lines) outcome->message += "\n" + line;
    return outcome;
  }
  outcome->message = describe(spec, *outcome);
  return outcome;
}

}  // namespace slipway::deployment_manager
