#include "systems/deployment_manager/standstill.hpp"

#include <fmt/format.h>

#include "base/text.hpp"
#include "systems/deployment_manager/names.hpp"

namespace slipway::deployment_manager {
namespace {

using messages::Stage;
using messages::State;

Status settle_container(World& world, const MachineEngine& machine, const ports::Container& container,
                        bool removes) {
  const auto& engine = machine.engine;
  ports::Instance instance{.service_id = std::string(find_label(container.labels, kLabelService)),
                           .release = release_of(container.labels).value_or(0),
                           .replica = 1,
                           .machine = machine.machine.name,
                           .container_id = container.id,
                           .container_name = container.name,
                           .state = "stopped",
                           .health = "none",
                           .ports = {},
                           .since = world.clock.now()};
  if (removes) {
    SLIPWAY_TRY(engine->stop(container.id, std::chrono::seconds{10}));
    SLIPWAY_TRY(engine->remove(container.id, true));
    return world.repository.instances().remove(instance.id());
  }
  if (container.running) {
    SLIPWAY_TRY(engine->set_restart_policy(container.id, "no"));
    SLIPWAY_TRY(engine->stop(container.id, std::chrono::seconds{10}));
  }
  return world.repository.instances().put(instance);
}

Status settle_machine(World& world, const std::string& service, const std::string& name, bool removes) {
  SLIPWAY_ASSIGN(const auto machine, open_machine(world, name));
  SLIPWAY_ASSIGN(const auto containers, machine.engine->list({label(kLabelInstance, world.settings.instance),
                                                              label(kLabelService, service)}));
  for (const auto& container : containers) SLIPWAY_TRY(settle_container(world, machine, container, removes));
  return {};
}

Status end(World& world, Journal& journal, State state, const Note& note) {
  SLIPWAY_TRY(journal.note(Stage::kDone, state, note));
  const auto freed =
      world.repository.lanes().release_lane(journal.service(), journal.id(), journal.lane().epoch);
  return freed ? Status{} : Status{freed.error()};
}

Status settle(World& world, Journal& journal) {
  const bool removes = journal.request().action == messages::Action::kRemove;
  const auto wanted = removes ? ports::Wanted::kRemoved : ports::Wanted::kStopped;
  SLIPWAY_TRY(journal.check_lane());
  const auto lane = journal.lane();
  if (!lane.committed || lane.wanted == ports::Wanted::kRemoved) {
    if (removes && lane.committed)
      return end(world, journal, State::kSucceeded,
                 {.message = "removed already", .final = true, .unchanged = true});
    const Error unknown = not_found("service.unknown", fmt::format("{} is not deployed", journal.service()));
    return end(world, journal, State::kRejected,
               {.message = unknown.message, .error = unknown, .error_stage = "accepted", .final = true});
  }
  if (journal.fact("machines").empty())
    SLIPWAY_TRY(journal.remember({{"machines", join(lane.machines, ",")}}));
  const bool unchanged = lane.wanted == wanted && !journal.is_cut_over();
  if (!journal.noted(Stage::kAccepted, State::kSucceeded))
    SLIPWAY_TRY(journal.note(Stage::kAccepted, State::kSucceeded, {.message = journal.fact("machines")}));
  SLIPWAY_TRY(journal.cut_over({.committed = {},
                                .previous = {},
                                .wanted = wanted,
                                .machines = removes ? std::vector<std::string>{} : lane.machines}));
  std::vector<std::string> away;
  for (const auto& name : split(journal.fact("machines"), ','))
    if (auto settled = settle_machine(world, journal.service(), name, removes); !settled) {
      world.log.warn("left to the reconcile loop", settled.error());
      away.push_back(name);
    }
  Note note{.message = removes ? "removed" : "stopped", .final = true, .unchanged = unchanged};
  if (!away.empty()) {
    note.message += fmt::format("; {} did not answer and is cleaned when it returns", join(away, ", "));
    return end(world, journal, State::kWarning, note);
  }
  return end(world, journal, State::kSucceeded, note);
}

}  // namespace

Status stand_still(World& world, Journal& journal) {
  auto done = settle(world, journal);
  if (done || done.error().code != kCancelled || journal.lane().cancel != journal.id()) return done;
  // The lane decides before any container is touched.
  return end(world, journal, State::kCancelled,
             {.message = "cancelled",
              .error = done.error(),
              .error_stage = std::string(messages::to_string(Stage::kAccepted)),
              .final = true});
}

}  // namespace slipway::deployment_manager
