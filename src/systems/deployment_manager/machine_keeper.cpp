#include "systems/deployment_manager/machine_keeper.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/backoff.hpp"
#include "messages/service_event.hpp"
#include "systems/deployment_manager/names.hpp"

namespace slipway::deployment_manager {
namespace {

constexpr std::chrono::seconds kLookForMachines{2};
constexpr milliseconds kLookAtLease{100};

}  // namespace

MachineWatch::MachineWatch(World& world, AgentKeeper& agents, MachineEngine machine)
    : world_(world),
      machine_(std::move(machine)),
      reconciler_(world, agents),
      lease_(world.repository.leases(), world.clock, world.log, "machine/" + machine_.machine.name,
             world.settings.owner),
      watching_([this](const std::stop_token& stop) { watch_loop(stop); }),
      reconciling_([this](const std::stop_token& stop) { reconcile_loop(stop); }) {}

void MachineWatch::wake() {
  {
    std::lock_guard lock(mutex_);
    woken_ = true;
  }
  changed_.notify_all();
}

// False: to be ended.
bool MachineWatch::wait_for_lease(const std::stop_token& stop) {
  while (!lease_.held())
    if (!world_.clock.sleep(kLookAtLease, stop)) return false;
  return !stop.stop_requested();
}

void MachineWatch::reconcile_loop(const std::stop_token& stop) {
  while (wait_for_lease(stop)) {
    {
      std::unique_lock lock(mutex_);
      changed_.wait_for(lock, stop, world_.settings.reconcile_period, [&] { return woken_; });
      woken_ = false;
    }
    if (stop.stop_requested()) return;
    if (!lease_.held()) continue;
    if (auto alive = machine_.engine->ping(); !alive) {
      set_reachable(false);
      continue;
    }
    set_reachable(true);
    if (auto done = reconciler_.reconcile(machine_, stop); !done)
      world_.log.warn(fmt::format("reconciling {} failed", machine_.machine.name), done.error());
  }
}

void MachineWatch::set_reachable(bool reachable) {
  {
    std::lock_guard lock(mutex_);
    if (reachable_ == reachable) return;
    reachable_ = reachable;
  }
  tell(reachable ? "engine_back" : "engine_lost", nullptr);
}

void MachineWatch::watch_loop(const std::stop_token& stop) {
  Backoff backoff(milliseconds{200}, milliseconds{5000});
  while (wait_for_lease(stop)) {
    const auto ended = machine_.engine->watch(
        label(kLabelInstance, world_.settings.instance), [&] { backoff.reset(); },
        [&](const ports::EngineEvent& event) { hear(event); }, stop);
    if (!ended) wake();  // the reconcile loop's ping finds out whether the Engine is lost
    if (!world_.clock.sleep(backoff.next(), stop)) return;
  }
}

void MachineWatch::hear(const ports::EngineEvent& event) {
  if (!lease_.held()) return;  // told by who holds it now
  if (find_label(event.labels, kLabelRole) == "service") {
    if (event.action == "start") tell("started", &event);
    if (event.action == "die") tell("died", &event);
    if (event.action == "oom") tell("oom", &event);
    if (event.action == "health_status") tell("health", &event);
  }
  if (event.action == "die" || event.action == "destroy" || event.action == "health_status" ||
      event.action == "start")
    wake();
}

void MachineWatch::tell(const std::string& name, const ports::EngineEvent* from) {
  messages::ServiceEvent event;
  event.event = name;
  event.machine = machine_.machine.name;
  event.at = from ? from->at : world_.clock.now();
  if (from) {
    event.service_id = find_label(from->labels, kLabelService);
    event.release = release_of(from->labels);
    event.replica = 1;
    event.container_id = from->container_id;
    event.exit_code = from->exit_code;
    event.health = from->health;
  }
  const std::string key = event.service_id.empty() ? event.machine : event.service_id;
  const auto queued = world_.bus.publish_later({.topic = world_.topics.service_events,
                                                .key = key,
                                                .value = messages::to_json(event),
                                                .source = "/deployment_manager",
                                                .type = "slipway.service.event.v1",
                                                .subject = key,
                                                .event_id = {},
                                                .more_headers = {}},
                                               [log = world_.log](const Status& sent) {
                                                 if (!sent)
                                                   log.warn("a service event was lost", sent.error());
                                               });
  if (!queued) world_.log.warn("a service event was lost", queued.error());
}

MachineKeeper::MachineKeeper(World& world, AgentKeeper& agents)
    : world_(world), agents_(agents), worker_([this](const std::stop_token& stop) { run(stop); }) {}

// False: the watch is to go; the agent of a machine that was removed is taken off it.
bool MachineKeeper::still_registered(const std::string& name, Watched& watched,
                                     const std::vector<ports::MachineDocument>& machines) {
  const auto found =
      std::ranges::find_if(machines, [&](const auto& document) { return document.id() == name; });
  const bool gone = found == machines.end() || found->machine.removed;
  if (!gone && found->machine.docker == watched.machine.docker && found->machine.tls == watched.machine.tls)
    return true;
  watched.watch.reset();
  if (!gone) return false;
  if (auto engine = world_.engines.open(watched.machine.docker, watched.machine.tls); engine)
    if (auto removed = agents_.remove({watched.machine, *engine}); !removed)
      world_.log.warn("the agent of a removed machine stays", removed.error());
  return false;
}

void MachineKeeper::run(const std::stop_token& stop) {
  do {
    const auto machines = world_.repository.machines().all();
    if (!machines) {
      world_.log.warn("the machines cannot be read", machines.error());
      continue;
    }
    for (auto entry = watched_.begin(); entry != watched_.end();)
      entry =
          still_registered(entry->first, entry->second, *machines) ? std::next(entry) : watched_.erase(entry);
    for (const auto& document : *machines) {
      const auto& machine = document.machine;
      if (machine.removed || watched_.contains(machine.name)) continue;
      auto engine = world_.engines.open(machine.docker, machine.tls);
      if (!engine) {
        world_.log.warn("a registered machine cannot be opened", engine.error());
        continue;
      }
      watched_[machine.name] = {
          machine, std::make_unique<MachineWatch>(world_, agents_, MachineEngine{machine, *engine})};
    }
  } while (world_.clock.sleep(kLookForMachines, stop));
  watched_.clear();
}

}  // namespace slipway::deployment_manager
