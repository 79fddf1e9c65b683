#include "systems/deployment_manager/run.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/backoff.hpp"
#include "systems/deployment_manager/container_plan.hpp"
#include "systems/deployment_manager/names.hpp"
#include "systems/deployment_manager/stage_deadline.hpp"
#include "systems/deployment_manager/stages/stage.hpp"
#include "systems/deployment_manager/standstill.hpp"
#include "systems/deployment_manager/switch.hpp"

namespace slipway::deployment_manager {
namespace {

using messages::Stage;
using messages::State;

constexpr std::chrono::seconds kEnginePatience{60};

// Kafka or the Repository does not answer, or this server has no room: no fault of the deployment, however
// long it takes.
bool is_platform_trouble(const Error& error) {
  return error.retryable() && (error.code.starts_with("kafka.") || error.code.starts_with("repository.") ||
                               error.code == "server.disk_full");
}

class Run {
 public:
  Run(Hands& hands, Journal& journal, const std::stop_token& hurry, const std::stop_token& shutdown)
      : world_(hands.world),
        journal_(journal),
        hurry_(hurry),
        shutdown_(shutdown),
        context_{.world = hands.world,
                 .journal = journal,
                 .agents = hands.agents,
                 .questions = hands.questions,
                 .broker_probe = hands.broker_probe,
                 .stop = hurry,
                 .deadline = {},
                 .machine = {},
                 .source = {},
                 .source_room = {},
                 .spec = {},
                 .release = {}} {}

  Status work() {
    world_.failpoints.hit(Failpoint::kOwned, journal_.service());
    if (const auto picked = pick_up(); !picked)
      return picked.error().retryable() ? picked : stop_at(Stage::kAccepted, picked.error());
    if (auto undoing = read_undoing()) return undo_and_end(std::move(*undoing));
    if (auto lane = journal_.check_lane(); !lane) return stop_at(Stage::kAccepted, lane.error());
    if (journal_.is_cut_over()) {
      if (auto finished = finish_cutover(); !finished) return stop_at(Stage::kHealthy, finished.error());
      if (journal_.lane().wanted == ports::Wanted::kCompleted)
        return conclude(State::kCompleted, false, said_at(Stage::kHealthy));
    }
    for (const auto& step : all_stages()) {
      if (skips(step.stage)) continue;
      if (auto lane = journal_.check_lane(); !lane) return stop_at(step.stage, lane.error());
      auto outcome = take(step);
      if (!outcome) return stop_at(step.stage, outcome.error());
      if (step.stage == Stage::kValidated) world_.failpoints.hit(Failpoint::kValidated, journal_.service());
      if (step.stage == Stage::kHealthy || outcome->end == State::kCompleted)
        if (auto decided = commit(outcome->end); !decided) return stop_at(step.stage, decided.error());
      if (outcome->end) return conclude(*outcome->end, outcome->unchanged, outcome->message);
    }
    return conclude(State::kSucceeded, false, "");
  }

  // The end is written: what is left to do is to leave the lane.
  Status clean_up() {
    if (const auto picked = pick_up(); !picked) {
      if (picked.error().retryable()) return picked;
      world_.log.warn("old containers are left to the reconcile loop", picked.error());
    }
    return leave();
  }

 private:
  // What the journal knows already. With the release stored, the preparation is done and not repeated.
  Status pick_up() {
    if (journal_.fact("release").empty()) return {};
    context_.release.service_id = journal_.service();
    context_.release.number = std::stoll(journal_.fact("release"));
    const auto stored = persistently(world_, std::chrono::seconds{60}, context_.stop, [&] {
      return world_.repository.releases().find(context_.release.id());
    });
    if (!stored) return stored.error();
    if (!*stored) return internal_error("release.lost", fmt::format("no document {}", context_.release.id()));
    context_.release = **stored;
    SLIPWAY_ASSIGN(context_.spec,
                   meta_file::spec_from_json(nlohmann::json::parse(context_.release.spec, nullptr, false)));
    SLIPWAY_ASSIGN(context_.machine, open_machine(world_, journal_.fact("machine")));
    return {};
  }

  bool skips(Stage stage) const {
    if (journal_.is_cut_over()) return stage != Stage::kFlowing;
    return context_.machine && !journal_.fact("release").empty() && stage < Stage::kStarted;
  }

  // A stage that only finds Kafka, the Repository or the Engine away is done again while its time lasts:
  // stages are made to be repeated.
  StageResult run_through_trouble(const StageStep& step) {
    Backoff backoff(milliseconds{200}, milliseconds{3000});
    std::optional<MonoTime> since;
    for (;;) {
      auto outcome = step.run(context_);
      if (outcome || !may_pass(step.stage, outcome.error())) return outcome;
      if (!since) since = world_.clock.mono();
      if (!is_platform_trouble(outcome.error()) && world_.clock.mono() - *since > kEnginePatience)
        return outcome;
      say_waiting(step.stage, outcome.error());
      if (!world_.clock.sleep(backoff.next(), context_.stop)) return outcome;
    }
  }

  static bool may_pass(Stage stage, const Error& error) {
    const bool engine =
        error.retryable() && error.code.starts_with("engine.") && error.code != "engine.disk_full";
    return is_platform_trouble(error) || (engine && stage >= Stage::kBuilt);
  }

  // Once for each stage, and only where it can be stored.
  void say_waiting(Stage stage, const Error& why) {
    world_.log.warn(fmt::format("{} waits in the stage {}", journal_.id(), messages::to_string(stage)), why);
    if (why.code.starts_with("repository.") || journal_.noted(stage, State::kWaiting)) return;
    if (auto noted = journal_.note(stage, State::kWaiting, {.message = why.message}); !noted)
      world_.log.warn("that it waits could not be noted", noted.error());
  }

  StageResult run_in_time(const StageStep& step) {
    auto limit = step.deadline;
    if (step.stage == Stage::kBuilt) limit += world_.settings.build_deadline;
    if (step.stage == Stage::kHealthy)
      limit += kMostHealthWindows * std::chrono::ceil<std::chrono::seconds>(context_.spec->update.deadline);
    const StageDeadline deadline(world_.clock, limit, hurry_);
    context_.deadline = world_.clock.mono() + limit;
    context_.stop = deadline.token();
    auto outcome = run_through_trouble(step);
    context_.stop = hurry_;
    if (outcome || !deadline.passed() || is_platform_trouble(outcome.error())) return outcome;
    return unavailable("stage.deadline",
                       fmt::format("the stage {} took longer than {} s: {}", messages::to_string(step.stage),
                                   limit.count(), outcome.error().message));
  }

  StageResult take(const StageStep& step) {
    if (step.announced && !journal_.noted(step.stage, State::kRunning))
      SLIPWAY_TRY(journal_.note(step.stage, State::kRunning, {}));
    const MonoTime began = world_.clock.mono();
    auto outcome = run_in_time(step);
    if (!outcome && step.stage == Stage::kFlowing && !hurry_.stop_requested())
      outcome =
          StageOutcome{.message = outcome.error().message, .state = State::kWarning, .hint = {}, .end = {}};
    if (!outcome) return outcome;
    if (journal_.noted(step.stage, State::kSucceeded) || journal_.noted(step.stage, State::kWarning))
      return outcome;
    Note note{.message = outcome->message,
              .took = std::chrono::duration_cast<milliseconds>(world_.clock.mono() - began)};
    if (outcome->state == State::kWarning)
      note.error = Error{ErrorKind::kInvalid, "warning", outcome->message, {}, outcome->hint};
    SLIPWAY_TRY(journal_.note(step.stage, outcome->state, note));
    return outcome;
  }

  // The new release serves from now on: decided once, for everybody.
  Status commit(const std::optional<State>& end) {
    const auto& engine = context_.machine->engine;
    const std::string id = journal_.fact("container_id");
    if (!end) {
      SLIPWAY_ASSIGN(const auto container, engine->inspect(id));
      if (!container || !container->running)
        return invalid("service.died", "the service ended just after it was healthy", "see its last lines");
    }
    const auto& lane = journal_.lane();
    ports::LaneStore::Cutover cutover{.committed = context_.release.number,
                                      .previous = {},
                                      .wanted = end ? ports::Wanted::kCompleted : ports::Wanted::kRunning,
                                      .machines = {context_.machine->machine.name}};
    if (lane.committed != context_.release.number) cutover.previous = lane.committed;
    SLIPWAY_TRY(journal_.cut_over(cutover));
    return finish_cutover();
  }

  // What follows from the decision, also for an owner who finds it taken.
  Status finish_cutover() {
    world_.failpoints.hit(Failpoint::kCutOver, journal_.service());
    const std::string id = journal_.fact("container_id");
    const bool completed = journal_.lane().wanted == ports::Wanted::kCompleted;
    if (!completed) {
      const PlanInput input{.release = context_.release,
                            .service = *context_.spec,
                            .request_id = {},
                            .machine = {},
                            .image_user = {},
                            .probe_volume = {},
                            .replica = 1};
      const auto restart = plan_container(input, world_.settings).restart;
      if (auto set = context_.machine->engine->set_restart_policy(id, restart); !set)
        world_.log.warn("the restart policy is left to the reconcile loop", set.error());
    }
    return record_instance(world_, *context_.machine, context_.release, id,
                           completed ? "completed" : "running", true);
  }

  std::string said_at(Stage stage) const {
    for (const auto& status : journal_.deployment().stages)
      if (status.stage == stage && status.state == State::kSucceeded) return status.message;
    return {};
  }

  Status conclude(State state, bool unchanged, const std::string& message) {
    SLIPWAY_TRY(journal_.check_lane());
    SLIPWAY_TRY(
        journal_.note(Stage::kDone, state, {.message = message, .final = true, .unchanged = unchanged}));
    return leave();
  }

  // After the end: what served before goes, then the lane is free.
  Status leave() {
    if (journal_.is_cut_over() && context_.machine)
      if (auto removed = remove_old(context_); !removed)
        world_.log.warn("old containers are left to the reconcile loop", removed.error());
    const auto freed = persistently(world_, std::chrono::seconds{60}, shutdown_, [&] {
      return world_.repository.lanes().release_lane(journal_.service(), journal_.id(), journal_.lane().epoch);
    });
    return freed ? Status{} : Status{freed.error()};
  }

  // A stage did not end well: lost, shut down, cancelled or failed.
  Status stop_at(Stage stage, Error error) {
    if (auto lane = journal_.check_lane(); !lane) error = lane.error();
    if (error.code == kLaneLost) return error;
    // Parked: nothing was decided, so nothing is undone; the next look at the lane goes on from here.
    if (is_platform_trouble(error)) return error;
    const bool cancelled = error.code == kCancelled && journal_.lane().cancel == journal_.id();
    if (!cancelled && shutdown_.stop_requested()) return error;
    if (journal_.is_cut_over())
      return conclude(State::kSucceeded, false, "after the cutover: " + error.message);

    Undoing undoing{.stage = stage,
                    .state = cancelled ? State::kCancelled : end_state(stage, error),
                    .error = std::move(error)};
    if (switched()) {
      if (!cancelled && context_.machine)
        if (auto kept = keep_failure_package(context_, stage, undoing.error); !kept)
          world_.log.warn("the failure package could not be kept", kept.error());
      SLIPWAY_TRY(journal_.remember({{"undo", encode(undoing)}}));
    }
    return undo_and_end(std::move(undoing));
  }

  // Why and how it ends, from the moment when the switch is taken back: that is not decided twice.
  struct Undoing {
    Stage stage{};
    State state{};
    Error error;
  };

  static std::string encode(const Undoing& undoing) {
    return nlohmann::json{{"stage", messages::to_string(undoing.stage)},
                          {"state", messages::to_string(undoing.state)},
                          {"error", messages::to_value(undoing.error)}}
        .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  }

  std::optional<Undoing> read_undoing() const {
    const auto value = nlohmann::json::parse(journal_.fact("undo"), nullptr, false);
    if (!value.is_object()) return std::nullopt;
    return Undoing{.stage = messages::parse_stage(value.value("stage", "")).value_or(Stage::kStarted),
                   .state = messages::parse_state(value.value("state", "")).value_or(State::kFailed),
                   .error = messages::error_from_value(value.value("error", nlohmann::json::object()))};
  }

  bool switched() const { return !journal_.fact("container_id").empty(); }

  Status undo_and_end(Undoing undoing) {
    if (switched())
      if (auto undone = undo_switch(context_); !undone) {
        world_.log.error("the old container could not be brought back at once", undone.error());
        undoing.error.message +=
            fmt::format("; bringing the old container back failed: {}", undone.error().message);
      }
    const bool cancelled = undoing.state == State::kCancelled;
    const std::string message = cancelled ? "cancelled" : undoing.error.message;
    const State noted = cancelled ? State::kCancelled : State::kFailed;
    if (!journal_.noted(undoing.stage, noted))
      SLIPWAY_TRY(journal_.note(undoing.stage, noted, {.message = message, .error = undoing.error}));
    SLIPWAY_TRY(journal_.note(Stage::kDone, undoing.state,
                              {.message = message,
                               .error = undoing.error,
                               .error_stage = std::string(messages::to_string(undoing.stage)),
                               .final = true}));
    return leave();
  }

  // Refused before anything was touched, or failed.
  static State end_state(Stage stage, const Error& error) {
    if (error.code == "request.stale") return State::kStale;
    const bool early = stage < Stage::kStarted && stage != Stage::kBuilt && stage != Stage::kAgentReady;
    return early && !error.retryable() ? State::kRejected : State::kFailed;
  }

  World& world_;
  Journal& journal_;
  std::stop_token hurry_;
  std::stop_token shutdown_;
  StageContext context_;
};

}  // namespace

Status run_deployment(Hands& hands, Journal& journal, const std::stop_token& hurry,
                      const std::stop_token& shutdown) {
  using messages::Action;
  Run run(hands, journal, hurry, shutdown);
  if (journal.deployment().end) return run.clean_up();
  if (journal.request().action == Action::kStop || journal.request().action == Action::kRemove)
    return stand_still(hands.world, journal);
  return run.work();
}

}  // namespace slipway::deployment_manager
