#include "systems/deployment_manager/reconcile.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "messages/service_event.hpp"
#include "systems/deployment_manager/drift.hpp"
#include "systems/deployment_manager/names.hpp"
#include "systems/deployment_manager/switch.hpp"

namespace slipway::deployment_manager {
namespace {

// Whether a container that ended is to be started again, by its own policy.
bool may_start_again(const ports::Container& container) {
  const std::string_view policy = find_label(container.labels, kLabelRestart);
  if (policy == "always") return true;
  const bool ended_from_outside = container.exit_code == 137 || container.exit_code == 143;
  return policy.starts_with("on-failure") && ended_from_outside;
}

std::string instance_state(const ports::Container& container) {
  if (container.running) return "running";
  if (find_label(container.labels, kLabelRestart) == "no")
    return container.exit_code == 0 ? "completed" : "failed";
  return "stopped";
}

}  // namespace

Status Reconciler::reconcile(const MachineEngine& machine, const std::stop_token& stop) {
  SLIPWAY_TRY(agents_.ensure(machine));
  // First what is there, then what is wanted: a container that a deployment makes meanwhile belongs to an
  // active lane.
  SLIPWAY_ASSIGN(const auto containers, machine.engine->list({label(kLabelInstance, world_.settings.instance),
                                                              label(kLabelRole, "service")}));
  SLIPWAY_ASSIGN(const auto lanes, world_.repository.lanes().all());
  for (const auto& lane : lanes) {
    if (lane.active || stop.stop_requested()) continue;
    Containers mine;
    std::ranges::copy_if(containers, std::back_inserter(mine), [&](const auto& container) {
      return find_label(container.labels, kLabelService) == lane.service_id;
    });
    if (auto settled = settle(machine, lane, mine); !settled)
      world_.log.warn(fmt::format("{} on {} cannot be mended now", lane.service_id, machine.machine.name),
                      settled.error());
  }
  SLIPWAY_TRY(remove_unknown(machine, lanes, containers));
  SLIPWAY_TRY(orphans_.sweep(machine));
  return record(machine, containers);
}

// Containers of services that the Repository has never heard of. Where it knows none at all, it is more
// likely the wrong Repository than that all of them are too many.
Status Reconciler::remove_unknown(const MachineEngine& machine, const std::vector<ports::Lane>& lanes,
                                  const Containers& containers) {
  if (lanes.empty() && !containers.empty())
    return conflict(
        "repository.empty",
        fmt::format("{} containers of this installation run, but the Repository knows no service: "
                    "nothing is removed",
                    containers.size()),
        "is mongodb.database the right one? If so, remove the containers by hand");
  for (const auto& container : containers) {
    const auto service = find_label(container.labels, kLabelService);
    if (std::ranges::any_of(lanes, [&](const auto& lane) { return lane.service_id == service; })) continue;
    world_.log.warn("an orphan is removed",
                    {{"container", container.name}, {"machine", machine.machine.name}});
    SLIPWAY_TRY(machine.engine->remove(container.id, true));
  }
  return {};
}

Result<bool> Reconciler::still_free(const ports::Lane& lane) {
  SLIPWAY_ASSIGN(const auto now, world_.repository.lanes().find(lane.service_id));
  return now && !now->active && now->epoch == lane.epoch && now->wanted == lane.wanted;
}

Status Reconciler::settle(const MachineEngine& machine, const ports::Lane& lane, const Containers& mine) {
  using ports::Wanted;
  const bool here = std::ranges::find(lane.machines, machine.machine.name) != lane.machines.end();
  const ports::Container* serving = nullptr;
  for (const auto& container : mine) {
    const bool committed =
        here && lane.wanted != Wanted::kRemoved && release_of(container.labels) == lane.committed;
    if (committed) serving = &container;
    const bool must_stop = committed && lane.wanted == Wanted::kStopped && container.running;
    if (committed && !must_stop) continue;
    SLIPWAY_ASSIGN(const bool free, still_free(lane));
    if (!free) return {};
    if (must_stop) {
      SLIPWAY_TRY(machine.engine->set_restart_policy(container.id, "no"));
      SLIPWAY_TRY(machine.engine->stop(container.id, std::chrono::seconds{10}));
    } else {
      tell_drift(machine, lane, fmt::format("{} is not wanted here: removed", container.name));
      SLIPWAY_TRY(machine.engine->remove(container.id, true));
      const ports::Instance gone{.service_id = lane.service_id,
                                 .release = release_of(container.labels).value_or(0),
                                 .replica = 1,
                                 .machine = machine.machine.name};
      SLIPWAY_TRY(world_.repository.instances().remove(gone.id()));
    }
  }
  if (!here || lane.wanted != Wanted::kRunning || !lane.committed) return {};
  const bool up = serving && (serving->running || serving->state == "restarting");
  return up ? mend(machine, lane, *serving) : heal(machine, lane, serving);
}

Status Reconciler::mend(const MachineEngine& machine, const ports::Lane& lane,
                        const ports::Container& serving) {
  SLIPWAY_ASSIGN(const auto container, machine.engine->inspect(serving.id));
  if (!container) return {};  // the next look heals it
  const Drift drift = find_drift(*container);
  if (!drift.any()) return {};
  SLIPWAY_ASSIGN(const bool free, still_free(lane));
  if (!free) return {};
  tell_drift(machine, lane, fmt::format("{} was changed: {}: changed back", container->name, drift.words));
  return mend_drift(*machine.engine, container->id, drift);
}

Status Reconciler::heal(const MachineEngine& machine, const ports::Lane& lane,
                        const ports::Container* there) {
  if (there && find_label(there->labels, kLabelRestart) == "no") {  // ran once and ended
    if (there->exit_code != 0) return {};
    const auto completed = world_.repository.lanes().complete(lane.service_id, *lane.committed);
    return completed ? Status{} : Status{completed.error()};
  }
  if (there && there->state == "exited" && !may_start_again(*there)) return {};
  SLIPWAY_ASSIGN(const bool free, still_free(lane));
  if (!free) return {};
  const ports::Release wanted{.service_id = lane.service_id, .number = *lane.committed};
  SLIPWAY_ASSIGN(const auto release, world_.repository.releases().find(wanted.id()));
  if (!release) return internal_error("release.lost", fmt::format("no document {}", wanted.id()));
  SLIPWAY_ASSIGN(const auto spec,
                 meta_file::spec_from_json(nlohmann::json::parse(release->spec, nullptr, false)));
  tell_drift(machine, lane,
             there ? fmt::format("{} was stopped: started again", there->name)
                   : fmt::format("release {} was gone: made again", *lane.committed));
  SLIPWAY_ASSIGN(const auto made,
                 make_container(world_, agents_, machine, *release, spec, release->request_id));
  SLIPWAY_TRY(machine.engine->start(made.id));
  SLIPWAY_ASSIGN(const auto container, machine.engine->inspect(made.id));
  if (container) {
    const std::string policy(find_label(container->labels, kLabelRestart));
    if (!policy.empty()) SLIPWAY_TRY(machine.engine->set_restart_policy(made.id, policy));
  }
  return record_instance(world_, machine, *release, made.id, "running");
}

Status Reconciler::record(const MachineEngine& machine, const Containers& containers) {
  SLIPWAY_ASSIGN(const auto known,
                 world_.repository.instances().where("machine", machine.machine.name, 10'000));
  for (const auto& instance : known) {
    if (instance.service_id == "slipway-agent") continue;
    const auto found = std::ranges::find_if(
        containers, [&](const auto& container) { return container.id == instance.container_id; });
    if (found == containers.end()) {
      // Listed before it was made, or gone: look at it itself.
      SLIPWAY_ASSIGN(const auto there, machine.engine->inspect(instance.container_id));
      if (!there) SLIPWAY_TRY(world_.repository.instances().remove(instance.id()));
      continue;
    }
    SLIPWAY_ASSIGN(const auto container, machine.engine->inspect(instance.container_id));
    if (!container) continue;
    auto now = instance;
    if (instance.state != "starting" || !container->running) now.state = instance_state(*container);
    // Proven healthy by its deployment, and not restarted since: the Engine's own check is only not due yet.
    const bool proven = instance.health == "healthy" && container->restart_count == 0;
    if (!proven || container->health != "starting") now.health = container->health;
    now.ports = container->ports;
    if (now.state == instance.state && now.health == instance.health && now.ports == instance.ports) continue;
    now.since = world_.clock.now();
    SLIPWAY_TRY(world_.repository.instances().put(now));
  }
  return {};
}

void Reconciler::tell_drift(const MachineEngine& machine, const ports::Lane& lane, const std::string& what) {
  world_.log.warn("drift", {{"service", lane.service_id}, {"machine", machine.machine.name}, {"what", what}});
  const messages::ServiceEvent event{.event = "drift",
                                     .machine = machine.machine.name,
                                     .service_id = lane.service_id,
                                     .release = lane.committed,
                                     .replica = 1,
                                     .container_id = {},
                                     .at = world_.clock.now(),
                                     .exit_code = {},
                                     .health = {},
                                     .message = what};
  const auto queued = world_.bus.publish_later({.topic = world_.topics.service_events,
                                                .key = lane.service_id,
                                                .value = messages::to_json(event),
                                                .source = "/deployment_manager",
                                                .type = "slipway.service.event.v1",
                                                .subject = lane.service_id,
                                                .event_id = {},
                                                .more_headers = {}},
                                               [log = world_.log](const Status& sent) {
                                                 if (!sent)
                                                   log.warn("a service event was lost", sent.error());
                                               });
  if (!queued) world_.log.warn("a service event was lost", queued.error());
}

}  // namespace slipway::deployment_manager
