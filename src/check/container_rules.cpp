#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <string>

#include "check/labels.hpp"
#include "check/rules.hpp"

namespace slipway::check {
namespace {

using ports::Container;
using ports::Lane;
using ports::Wanted;

std::string place_of(const MachineLook& look, const Container& container) {
  return look.machine.name + "/" + container.name;
}

std::string remove_it(const MachineLook& look, const Container& container) {
  return fmt::format("if nobody needs it, on {}: docker rm -f {}", look.machine.name, container.name);
}

std::string heals() {
  return "the server mends this by itself within 30 s; if it stays, its log says why";
}

bool is_service(const Container& container) {
  return find_label(container.labels, kRole) == "service";
}

bool is_committed(const Container& container, const Lane& lane) {
  return lane.committed && find_label(container.labels, kRelease) == std::to_string(*lane.committed);
}

bool is_up(const Container& container) {
  return container.running || container.state == "restarting";
}

/// Its own policy let it end: a run-once service, or one that failed for good.
bool may_have_ended(const Container& container) {
  const auto policy = find_label(container.labels, kRestart);
  const bool from_outside = container.exit_code == 137 || container.exit_code == 143;
  return policy == "no" || (policy.starts_with("on-failure") && !from_outside);
}

// "on-failure" is "on-failure:0" in the Engine's words.
std::string same_words(std::string_view policy) {
  return policy == "on-failure" ? "on-failure:0" : std::string(policy);
}

/// What differs from what it was made with, or empty. Those made before the labels existed are fine.
std::string wrong_settings(const Container& container) {
  if (container.state == "paused") return "it is paused";
  const auto policy = find_label(container.labels, kRestart);
  if (!policy.empty() && same_words(policy) != same_words(container.restart))
    return fmt::format("its restart policy is {}, not {}", container.restart, policy);
  const auto wanted = find_label(container.labels, kLimits);
  const auto& limits = container.limits;
  const auto has =
      fmt::format("memory={} nano_cpus={} pids={}", limits.memory, limits.nano_cpus, limits.pids);
  if (!wanted.empty() && wanted != has) return fmt::format("its limits are {}, not {}", has, wanted);
  return {};
}

const ports::Instance* find_instance(const Snapshot& snapshot, const std::string& container_id) {
  const auto found = std::ranges::find(snapshot.instances, container_id, &ports::Instance::container_id);
  return found == snapshot.instances.end() ? nullptr : &*found;
}

/// The container that is wanted running on this machine, and is there.
void check_serving(const Snapshot& snapshot, const MachineLook& look, const Container& container,
                   Findings& findings) {
  const auto add = [&](std::string code, std::string what) {
    findings.push_back({std::move(code), place_of(look, container), std::move(what), heals()});
  };
  if (!is_up(container)) {
    if (!may_have_ended(container))
      add("container.stopped", fmt::format("its service is wanted running, it is {}", container.state));
    return;
  }
  if (const auto wrong = wrong_settings(container); !wrong.empty()) add("container.changed", wrong);
  const auto* instance = find_instance(snapshot, container.id);
  if (!instance || instance->machine != look.machine.name)
    add("instance.missing", "it runs, and no instance document says so");
  else if (container.running && instance->state != "running" && instance->state != "starting")
    add("instance.wrong", fmt::format("it runs, its instance says {}", instance->state));
}

void check_unwanted(const MachineLook& look, const Lane& lane, const Container& container,
                    Findings& findings) {
  findings.push_back(
      {"container.unwanted", place_of(look, container),
       fmt::format("release {} of {} is there; wanted is {}{} on [{}]",
                   find_label(container.labels, kRelease), lane.service_id, to_string(lane.wanted),
                   lane.committed ? fmt::format(", release {}", *lane.committed) : "",
                   fmt::join(lane.machines, ", ")),
       heals()});
}

void check_lane_on(const Snapshot& snapshot, const Lane& lane, const MachineLook& look, Findings& findings) {
  const bool here = std::ranges::find(lane.machines, look.machine.name) != lane.machines.end();
  const Container* serving = nullptr;
  for (const auto& container : look.containers) {
    if (!is_service(container) || find_label(container.labels, kService) != lane.service_id) continue;
    const bool wanted = here && lane.wanted != Wanted::kRemoved && is_committed(container, lane) && !serving;
    if (!wanted) {
      check_unwanted(look, lane, container, findings);
      continue;
    }
    serving = &container;
    if (lane.wanted == Wanted::kRunning)
      check_serving(snapshot, look, container, findings);
    else if (is_up(container))
      findings.push_back({"container.running", place_of(look, container),
                          fmt::format("its service is wanted {}, it runs", to_string(lane.wanted)), heals()});
  }
  if (here && lane.wanted == Wanted::kRunning && !serving)
    findings.push_back(
        {"container.missing", look.machine.name + "/" + lane.service_id,
         fmt::format("release {} is wanted running, no container of it is there", lane.committed.value_or(0)),
         heals()});
}

void check_lane(const Snapshot& snapshot, const Lane& lane, Findings& findings) {
  for (const auto& look : snapshot.machines)
    if (!look.engine_error) check_lane_on(snapshot, lane, look, findings);
  for (const auto& name : lane.machines)
    if (std::ranges::none_of(snapshot.machines, [&](const auto& look) { return look.machine.name == name; }))
      findings.push_back({"lane.machine", "service " + lane.service_id,
                          fmt::format("it is wanted on {}, which is not registered", name),
                          "slipway machine add " + name + ", or deploy it elsewhere"});
}

/// Containers of which no lane and no machine knows anything.
void check_unknown(const Snapshot& snapshot, const MachineLook& look, Findings& findings) {
  for (const auto& container : look.containers) {
    const auto role = find_label(container.labels, kRole);
    if (role == "agent") continue;  // counted with its machine
    const auto service = find_label(container.labels, kService);
    const bool known =
        std::ranges::any_of(snapshot.lanes, [&](const Lane& lane) { return lane.service_id == service; });
    if (role == "service" && (known || snapshot.busy.contains(std::string(service)))) continue;
    // Steps of builds and probes belong to deployments.
    if (role != "service" && !snapshot.busy.empty()) continue;
    const auto what =
        role.empty()
            ? "it has this installation's label, and nobody here made it"
            : fmt::format("a container of the role {} that no lane and no machine accounts for", role);
    findings.push_back({"container.unknown", place_of(look, container), what, remove_it(look, container)});
  }
}

void check_instance(const Snapshot& snapshot, const ports::Instance& instance, Findings& findings) {
  if (instance.service_id == "slipway-agent" || instance.state != "running") return;
  if (snapshot.busy.contains(instance.service_id)) return;
  for (const auto& look : snapshot.machines) {
    if (look.machine.name != instance.machine || look.engine_error) continue;
    if (std::ranges::find(look.containers, instance.container_id, &Container::id) == look.containers.end())
      findings.push_back({"instance.gone", "instance " + instance.id(),
                          "it says that it runs, its container is not there", heals()});
  }
}

}  // namespace

void check_containers(const Snapshot& snapshot, Findings& findings) {
  for (const auto& lane : snapshot.lanes)
    if (!snapshot.busy.contains(lane.service_id)) check_lane(snapshot, lane, findings);
  for (const auto& look : snapshot.machines) check_unknown(snapshot, look, findings);
  for (const auto& instance : snapshot.instances) check_instance(snapshot, instance, findings);
}

}  // namespace slipway::check
