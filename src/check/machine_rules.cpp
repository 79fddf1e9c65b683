#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "check/labels.hpp"
#include "check/rules.hpp"

namespace slipway::check {
namespace {

/// Samples are stored at least every 15 seconds; the rest is for a busy server.
constexpr milliseconds kStoredWithin{60'000};

bool is_up(const messages::Machine& machine) {
  return machine.state && machine.state->state == messages::MachineState::kUp;
}

void check_agent(const MachineLook& look, Findings& findings) {
  std::size_t running = 0;
  std::size_t all = 0;
  for (const auto& container : look.containers) {
    if (find_label(container.labels, kRole) != "agent") continue;
    ++all;
    running += container.running && container.state != "paused" ? 1 : 0;
  }
  if (all == 1 && running == 1) return;
  findings.push_back(
      {running == 0 ? "agent.missing" : "agent.twin", "machine " + look.machine.name,
       fmt::format("{} agents are there, {} of them run", all, running),
       "the server mends this by itself within 30 s (not one that was paused: docker unpause); if "
       "it stays, its log says why"});
}

void check_images(const Snapshot& snapshot, const ports::Lane& lane, Findings& findings) {
  const auto find = [&](const std::optional<std::int64_t>& number) -> const ports::Release* {
    if (!number) return nullptr;
    const ports::Release wanted{.service_id = lane.service_id, .number = *number};
    const auto found = snapshot.releases.find(wanted.id());
    if (found != snapshot.releases.end()) return &found->second;
    findings.push_back({"release.missing", "service " + lane.service_id,
                        fmt::format("release {} is named by its lane and has no document", *number),
                        "deploy it again"});
    return nullptr;
  };
  const auto* committed = find(lane.committed);
  const auto* previous = find(lane.previous);
  for (const auto& look : snapshot.machines) {
    if (look.engine_error) continue;
    const bool here = std::ranges::find(lane.machines, look.machine.name) != lane.machines.end();
    const auto place = fmt::format("service {} on {}", lane.service_id, look.machine.name);
    if (committed && here && look.missing_images.contains(committed->image))
      findings.push_back({"image.missing", place,
                          fmt::format("the image {} of release {}, which is committed, is not there",
                                      committed->image, committed->number),
                          "load it there, or deploy again"});
    if (previous && previous->machine == look.machine.name && look.missing_images.contains(previous->image))
      findings.push_back({"image.no_way_back", place,
                          fmt::format("the image {} of release {}, the one before, is not there",
                                      previous->image, previous->number),
                          "slipway rollback has to build it again or fails; load it there to be sure"});
  }
}

void check_volumes(const Snapshot& snapshot, const MachineLook& look, Findings& findings) {
  for (const auto& volume : look.volumes) {
    const auto service = find_label(volume.labels, kService);
    if (std::ranges::any_of(snapshot.lanes, [&](const auto& lane) { return lane.service_id == service; }))
      continue;
    findings.push_back({"volume.unknown", fmt::format("{}, volume {}", look.machine.name, volume.name),
                        service.empty()
                            ? "it has this installation's label and belongs to no service"
                            : fmt::format("it belongs to the service {}, which nobody knows", service),
                        fmt::format("if nobody needs its data, on {}: docker volume rm {}", look.machine.name,
                                    volume.name)});
  }
}

void check_holes(const MachineLook& look, Findings& findings) {
  for (const auto& [boot, numbers] : look.samples.numbers)
    for (std::size_t i = 1; i < numbers.size(); ++i) {
      if (numbers[i] == numbers[i - 1] + 1) continue;
      const bool twice = numbers[i] == numbers[i - 1];
      findings.push_back(
          {twice ? "samples.twice" : "samples.hole", "machine " + look.machine.name,
           fmt::format("agent start {}: after sample {} comes {}", boot, numbers[i - 1], numbers[i]),
           "what was lost stays lost; the metric 'dropped' says if the agent had no room for it"});
      return;  // one is enough to look there
    }
}

void check_samples(const Snapshot& snapshot, const MachineLook& look, Findings& findings) {
  const auto& machine = look.machine;
  if (!is_up(machine)) return;
  check_holes(look, findings);
  const WallTime now = snapshot.at + milliseconds{machine.state->clock_offset_ms};
  const WallTime newest = look.samples.newest.value_or(WallTime{});
  if (now - newest <= kStoredWithin) return;
  if (snapshot.at - machine.state->since <= kStoredWithin) return;
  findings.push_back(
      {"samples.late", "machine " + machine.name,
       look.samples.newest
           ? fmt::format("it is up, its newest stored sample is {} s old",
                         std::chrono::duration_cast<std::chrono::seconds>(now - newest).count())
           : "it is up, and none of its samples of the last minutes is stored",
       "does the Monitoring Service run? slipway doctor tells"});
}

}  // namespace

void check_machines(const Snapshot& snapshot, Findings& findings) {
  for (const auto& look : snapshot.machines) {
    check_samples(snapshot, look, findings);
    if (look.engine_error) {
      findings.push_back({"machine.unseen", "machine " + look.machine.name,
                          "its Engine cannot be looked at: " + look.engine_error->message,
                          look.engine_error->hint.empty() ? "slipway machine show " + look.machine.name
                                                          : look.engine_error->hint});
      continue;
    }
    check_agent(look, findings);
    check_volumes(snapshot, look, findings);
  }
  for (const auto& lane : snapshot.lanes)
    if (!snapshot.busy.contains(lane.service_id) && lane.wanted != ports::Wanted::kRemoved)
      check_images(snapshot, lane, findings);
}

}  // namespace slipway::check
