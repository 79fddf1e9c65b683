#include <fmt/format.h>

#include "systems/deployment_manager/names.hpp"
#include "systems/deployment_manager/stages/stage.hpp"
#include "systems/deployment_manager/switch.hpp"

namespace slipway::deployment_manager {
namespace {

// How far the service's group had come on each topic: `flowing` sees by it whether the new release reads.
Status remember_progress(StageContext& context) {
  std::map<std::string, std::string> facts;
  for (const auto& [name, bound] : context.release.topics) {
    const std::vector<std::string> topics{bound.topic};
    SLIPWAY_ASSIGN(const auto committed,
                   context.world.bus.committed(messages::service_group(context.journal.service()), topics));
    std::int64_t sum = 0;
    for (const auto& [place, offset] : committed) sum += offset;
    facts["read_before." + name] = std::to_string(sum);
  }
  return facts.empty() ? Status{} : context.journal.remember(facts);
}

}  // namespace

StageResult start(StageContext& context) {
  auto& world = context.world;
  auto& journal = context.journal;
  const bool resumed = !journal.fact("container_id").empty();
  const auto made = persistently(world, std::chrono::seconds{30}, context.stop, [&] {
    return make_container(world, context.agents, *context.machine, context.release, *context.spec,
                          journal.id());
  });
  if (!made) return made.error();
  if (resumed && journal.fact("container_id") != made->id) {  // made anew: the one before is gone
    SLIPWAY_TRY(journal.remember({{"container_id", made->id}, {"begun", ""}}));
  }
  if (!resumed) {
    // Before anything that runs is touched: who served, to be able to bring it back.
    SLIPWAY_ASSIGN(const auto old, find_running(context, made->id));
    SLIPWAY_TRY(remember_progress(context));
    std::map<std::string, std::string> facts{{"container_id", made->id}, {"old", encode_old(old)}};
    if (made->adopted) facts["adopted"] = "1";
    SLIPWAY_TRY(journal.remember(facts));
  }
  const auto name = container_name(world.settings.instance, journal.service(), context.release.number, 1);
  const bool begun = !journal.fact("begun").empty();
  SLIPWAY_TRY(journal.check_lane());
  SLIPWAY_TRY(stop_old(context, old_containers(journal)));
  const bool restart = journal.request().action == messages::Action::kRestart && !begun;
  if (restart && made->running)
    SLIPWAY_TRY(context.machine->engine->stop(made->id, std::chrono::seconds{10}));
  SLIPWAY_TRY(journal.check_lane());
  world.failpoints.hit(Failpoint::kOldStopped, journal.service());
  // One that was started and has ended since is for `healthy` to judge.
  if (!begun || made->running) {
    // One that was made for this has it already; one that served before gets it back by the cutover.
    if (made->adopted) SLIPWAY_TRY(context.machine->engine->set_restart_policy(made->id, "no"));
    SLIPWAY_TRY(persistently(world, std::chrono::seconds{30}, context.stop,
                             [&] { return context.machine->engine->start(made->id); }));
  }
  SLIPWAY_TRY(journal.remember({{"begun", "1"}}));
  SLIPWAY_TRY(record_instance(world, *context.machine, context.release, made->id, "starting"));
  // The lane may have changed hands while the Engine worked: what was just made is then not wanted.
  SLIPWAY_TRY(journal.check_lane());
  return StageOutcome{.message = name, .hint = {}, .end = {}};
}

}  // namespace slipway::deployment_manager
