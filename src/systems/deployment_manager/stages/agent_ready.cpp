#include <fmt/format.h>

#include "base/time_text.hpp"
#include "systems/deployment_manager/stages/stage.hpp"

namespace slipway::deployment_manager {

StageResult ready_agent(StageContext& context) {
  auto& world = context.world;
  const auto began = world.clock.mono();
  const auto put = persistently(world, std::chrono::seconds{30}, context.stop,
                                [&] { return context.agents.ensure(*context.machine); });
  if (!put) return put.error();
  world.failpoints.hit(Failpoint::kAgentPut, context.journal.service());
  if (auto heard = context.agents.wait_for_sample(*context.machine, *put, context.deadline, context.stop);
      !heard) {
    SLIPWAY_TRY(world.bus.ping(std::chrono::seconds{3}));  // with Kafka away no agent can be heard
    return heard.error();
  }
  const auto took = std::chrono::duration_cast<milliseconds>(world.clock.mono() - began);
  return StageOutcome{.message = put->started
                                     ? fmt::format("{} on {}, first sample after {}", put->version,
                                                   context.machine->machine.name, to_human(took))
                                     : fmt::format("{} on {}", put->version, context.machine->machine.name),
                      .hint = {},
                      .end = {}};
}

}  // namespace slipway::deployment_manager
