#include "check/collect.hpp"

#include <algorithm>

#include "base/at_once.hpp"

namespace slipway::check {
namespace {

constexpr std::size_t kMostDeployments = 1'000;
constexpr std::size_t kEnginesAtOnce = 8;
// Documents and messages live for 30 days: what is older may be on one side only.
constexpr std::chrono::hours kBothSides{29 * 24};

void hold(const std::vector<ports::Lane>& lanes, Snapshot& snapshot) {
  for (const auto& lane : lanes) {
    if (lane.active) snapshot.held.insert(*lane.active);
    snapshot.held.insert(lane.queue.begin(), lane.queue.end());
    if (lane.active || !lane.queue.empty()) snapshot.busy.insert(lane.service_id);
  }
}

bool is_same(const ports::Lane& before, const ports::Lane& now) {
  return before.epoch == now.epoch && before.wanted == now.wanted && before.committed == now.committed &&
         before.machines == now.machines;
}

/// The lanes as they are at the end; what moved since `before` is busy.
Status read_lanes_again(const Sources& sources, Snapshot& snapshot) {
  const auto before = std::move(snapshot.lanes);
  SLIPWAY_ASSIGN(snapshot.lanes, sources.repository.lanes().all());
  hold(snapshot.lanes, snapshot);
  for (const auto& lane : snapshot.lanes) {
    const auto found = std::ranges::find(before, lane.service_id, &ports::Lane::service_id);
    if (found == before.end() || !is_same(*found, lane)) snapshot.busy.insert(lane.service_id);
  }
  return {};
}

void keep(std::vector<ports::Deployment> deployments, Snapshot& snapshot) {
  for (auto& deployment : deployments) {
    auto id = deployment.request_id;
    snapshot.deployments.insert_or_assign(std::move(id), std::move(deployment));
  }
}

/// Loads the newest and all open ones; since when they are all there.
Result<WallTime> read_deployments(const Sources& sources, Snapshot& snapshot) {
  SLIPWAY_ASSIGN(auto open, sources.repository.deployments().open());
  SLIPWAY_ASSIGN(auto unpublished, sources.repository.deployments().unpublished());
  SLIPWAY_ASSIGN(auto latest, sources.repository.deployments().latest("", kMostDeployments));
  WallTime since = sources.clock.now() - kBothSides;
  if (latest.size() == kMostDeployments) since = std::max(since, latest.back().created_at);
  keep(std::move(open), snapshot);
  keep(std::move(unpublished), snapshot);
  keep(std::move(latest), snapshot);
  return since;
}

Status read_messages(const Sources& sources, WallTime since, Snapshot& snapshot,
                     const std::stop_token& stop) {
  SLIPWAY_ASSIGN(const auto unknown, read_status_topic(sources, since, snapshot, stop));
  snapshot.told_since = std::max(snapshot.told_since, sources.clock.now() - kBothSides);
  for (const auto& id : unknown) {  // older than the newest, or accepted since they were read
    SLIPWAY_ASSIGN(const auto found, sources.repository.deployments().find(id));
    if (!found) snapshot.told_without_document.insert(id);
  }
  return {};
}

/// Those that a lane holds and that are not among the newest: old ones, or none at all.
Status read_held(const Sources& sources, Snapshot& snapshot) {
  for (const auto& id : snapshot.held) {
    if (snapshot.deployments.contains(id)) continue;
    SLIPWAY_ASSIGN(auto found, sources.repository.deployments().find(id));
    if (!found) continue;
    found->created_at = {};  // its messages were not looked for: too old to be compared
    snapshot.deployments.emplace(id, std::move(*found));
  }
  return {};
}

Status read_releases(const Sources& sources, Snapshot& snapshot) {
  for (const auto& lane : snapshot.lanes)
    for (const auto& number : {lane.committed, lane.previous}) {
      if (!number) continue;
      const ports::Release wanted{.service_id = lane.service_id, .number = *number};
      SLIPWAY_ASSIGN(auto found, sources.repository.releases().find(wanted.id()));
      if (found) snapshot.releases.emplace(wanted.id(), std::move(*found));
    }
  return {};
}

Status read_machines(const Sources& sources, Snapshot& snapshot) {
  SLIPWAY_ASSIGN(const auto documents, sources.repository.machines().all());
  std::vector<std::size_t> places;
  for (const auto& document : documents) {
    if (document.machine.removed) continue;
    places.push_back(snapshot.machines.size());
    snapshot.machines.push_back({.machine = document.machine});
  }
  auto looks = snapshot.machines;
  for_each_at_once(places, kEnginesAtOnce, [&](std::size_t at) {
    looks[at] = look_at_machine(sources, looks[at].machine, snapshot);
  });
  snapshot.machines = std::move(looks);
  for (auto& look : snapshot.machines) {
    SLIPWAY_ASSIGN(look.samples, read_samples(sources, look.machine));
  }
  return {};
}

}  // namespace

Result<Snapshot> collect(const Sources& sources, const std::stop_token& stop) {
  Snapshot snapshot;
  SLIPWAY_ASSIGN(snapshot.lanes, sources.repository.lanes().all());
  hold(snapshot.lanes, snapshot);
  SLIPWAY_ASSIGN(const WallTime since, read_deployments(sources, snapshot));
  SLIPWAY_TRY(read_messages(sources, since, snapshot, stop));
  SLIPWAY_TRY(read_releases(sources, snapshot));
  SLIPWAY_TRY(read_machines(sources, snapshot));
  SLIPWAY_ASSIGN(snapshot.instances, sources.repository.instances().all());
  SLIPWAY_TRY(read_lanes_again(sources, snapshot));
  SLIPWAY_TRY(read_held(sources, snapshot));
  snapshot.at = sources.clock.now();
  return snapshot;
}

}  // namespace slipway::check
