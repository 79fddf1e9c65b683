#include <fmt/format.h>

#include "base/time_text.hpp"
#include "systems/deployment_manager/stages/stage.hpp"

namespace slipway::deployment_manager {
namespace {

constexpr std::chrono::seconds kHeardSoon{10};
constexpr std::chrono::seconds kPing{3};

// True once its sample is heard; false: Kafka is away, so that none can be, and the Engine says that it runs
// as it did before. A new one has to be heard.
Result<bool> hear(StageContext& context, const AgentKeeper::Put& put) {
  auto& world = context.world;
  if (!put.started) {
    const auto soon = std::min(context.deadline, world.clock.mono() + kHeardSoon);
    if (context.agents.wait_for_sample(*context.machine, put, soon, context.stop)) return true;
    if (!context.stop.stop_requested() && !world.bus.ping(kPing)) return false;
  }
  if (auto heard = context.agents.wait_for_sample(*context.machine, put, context.deadline, context.stop);
      !heard) {
    SLIPWAY_TRY(world.bus.ping(kPing));
    return heard.error();
  }
  return true;
}

}  // namespace

StageResult ready_agent(StageContext& context) {
  auto& world = context.world;
  const auto began = world.clock.mono();
  const auto put = persistently(world, std::chrono::seconds{30}, context.stop,
                                [&] { return context.agents.ensure(*context.machine); });
  if (!put) return put.error();
  world.failpoints.hit(Failpoint::kAgentPut, context.journal.service());
  SLIPWAY_ASSIGN(const bool heard, hear(context, *put));
  const auto took = std::chrono::duration_cast<milliseconds>(world.clock.mono() - began);
  std::string message = fmt::format("{} on {}", put->version, context.machine->machine.name);
  if (put->started) message += ", first sample after " + to_human(took);
  if (!heard) message += " runs as before; Kafka is away, so that it cannot be heard";
  return StageOutcome{.message = std::move(message), .hint = {}, .end = {}};
}

}  // namespace slipway::deployment_manager
