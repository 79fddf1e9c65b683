#include "systems/deployment_manager/lane_keeper.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace slipway::deployment_manager {
namespace {

constexpr milliseconds kLookEvery{500};

std::optional<std::string> first_machine(const ports::Deployment& deployment, const ports::Lane& lane) {
  if (const auto found = deployment.facts.find("machine"); found != deployment.facts.end())
    return found->second;
  if (deployment.request.machine) return deployment.request.machine->name;
  if (lane.committed && lane.wanted != ports::Wanted::kRemoved && !lane.machines.empty())
    return lane.machines.front();
  return std::nullopt;
}

}  // namespace

LaneKeeper::LaneKeeper(Hands& hands)
    : hands_(hands), world_(hands.world), worker_([this](const std::stop_token& stop) { run(stop); }) {}

LaneKeeper::~LaneKeeper() {
  shutdown_.request_stop();
  worker_.stop();
  for (auto& [service, working] : working_) working->hurry.request_stop();
  working_.clear();  // joins
}

void LaneKeeper::wake() {
  {
    std::lock_guard lock(mutex_);
    woken_ = true;
  }
  changed_.notify_all();
}

void LaneKeeper::run(const std::stop_token& stop) {
  MonoTime next_beat = world_.clock.mono();
  MonoTime next_strays = next_beat;
  while (!stop.stop_requested()) {
    reap();
    look();
    if (world_.clock.mono() >= next_strays) {
      next_strays = world_.clock.mono() + world_.settings.look_for_strays;
      if (auto done = bring_back_strays(); !done)
        world_.log.warn("requests outside their lanes could not be looked for", done.error());
    }
    if (world_.clock.mono() >= next_beat) {
      next_beat = world_.clock.mono() + world_.settings.lease_beat;
      renew_leases();
    }
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, stop, kLookEvery, [&] { return woken_; });
    woken_ = false;
  }
}

void LaneKeeper::reap() {
  std::erase_if(working_, [](const auto& entry) { return entry.second->done.load(); });
}

void LaneKeeper::look() {
  const auto lanes = world_.repository.lanes().all();
  if (!lanes) {
    world_.log.warn("the lanes cannot be read", lanes.error());
    observed_.clear();  // nobody was seen to be silent while nothing was seen
    return;
  }
  for (const auto& lane : *lanes) look_at(lane);
}

void LaneKeeper::look_at(const ports::Lane& lane) {
  if (const auto mine = working_.find(lane.service_id); mine != working_.end()) {
    const auto& working = *mine->second;
    const bool cancelled = lane.cancel == working.request_id && lane.cut_over != working.request_id;
    const bool lost = lane.epoch > working.epoch;
    if (cancelled || lost) mine->second->hurry.request_stop();
    return;
  }
  if (lane.active)
    take_over_if_abandoned(lane);
  else if (!lane.queue.empty() && working_.size() < world_.settings.most_active)
    take_next(lane);
}

// A waiting request that a newer one overtook runs nothing; one that is too late neither.
void LaneKeeper::take_next(const ports::Lane& lane) {
  const std::string newest = lane.queue.back();
  for (const auto& request : lane.queue)
    if (request != newest)
      if (auto ended = end_waiting(lane.service_id, request, messages::State::kSuperseded,
                                   "a newer request came: " + newest);
          !ended) {
        world_.log.warn("a waiting request could not be ended", ended.error());
        return;
      }
  const auto deployment = world_.repository.deployments().find(newest);
  if (!deployment) return;
  // Its insert was never stored: the record is redelivered and queued again. Or it was cancelled: it is over.
  if (!*deployment || (*deployment)->end) {
    if (auto out = world_.repository.lanes().unqueue(lane.service_id, newest); !out)
      world_.log.warn("a request that is over still waits", out.error());
    return;
  }
  const auto& deadline = (*deployment)->request.deadline;
  if (deadline && *deadline < world_.clock.now()) {
    if (auto ended = end_waiting(lane.service_id, newest, messages::State::kExpired,
                                 "its deadline passed before it began");
        !ended)
      world_.log.warn("an expired request could not be ended", ended.error());
    return;
  }
  if (!has_room(first_machine(**deployment, lane))) return;
  const auto taken = world_.repository.lanes().take(lane.service_id, newest, world_.settings.owner);
  if (taken && *taken) work_on(**taken);
}

// A machine that answers slowly, or not at all, must not use up the places of all the others. Requests whose
// machine the Scheduler has yet to choose count as one machine.
bool LaneKeeper::has_room(const std::optional<std::string>& machine) {
  std::size_t there = 0;
  for (auto& [service, working] : working_) {
    if (!working->machine)
      if (const auto found = world_.repository.deployments().find(working->request_id); found && *found)
        working->machine = first_machine(**found, {});
    if (working->machine == machine) ++there;
  }
  return there < world_.settings.most_per_machine;
}

// A deployer that died between storing a request and queueing it, or in the middle of a cancel, leaves a
// document that no lane knows. One that is found so twice in a row is queued again.
Status LaneKeeper::bring_back_strays() {
  SLIPWAY_ASSIGN(const auto open, world_.repository.deployments().open());
  std::set<std::string> in_lanes;
  SLIPWAY_ASSIGN(const auto lanes, world_.repository.lanes().all());
  for (const auto& lane : lanes) {
    in_lanes.insert(lane.queue.begin(), lane.queue.end());
    if (lane.active) in_lanes.insert(*lane.active);
  }
  std::set<std::string> strays;
  for (const auto& deployment : open) {
    if (in_lanes.contains(deployment.request_id)) continue;
    strays.insert(deployment.request_id);
    if (strays_.contains(deployment.request_id)) SLIPWAY_TRY(bring_back(deployment));
  }
  strays_ = std::move(strays);
  return {};
}

Status LaneKeeper::bring_back(const ports::Deployment& stray) {
  world_.log.warn("a request was in no lane", {{"request", stray.request_id}, {"service", stray.service_id}});
  SLIPWAY_ASSIGN(const bool overtaken, is_overtaken(stray));
  if (overtaken)
    SLIPWAY_TRY(end_waiting(stray.service_id, stray.request_id, messages::State::kSuperseded,
                            "a newer request came"));
  else
    SLIPWAY_TRY(world_.repository.lanes().enqueue(stray.service_id, stray.request_id));
  return {};
}

Result<bool> LaneKeeper::is_overtaken(const ports::Deployment& stray) {
  constexpr std::size_t kMostSeen = 50;
  SLIPWAY_ASSIGN(const auto newer, world_.repository.deployments().latest(stray.service_id, kMostSeen));
  return std::ranges::any_of(newer, [&](const ports::Deployment& other) {
    return other.created_at > stray.created_at && other.request.action != messages::Action::kCancel &&
           other.end != messages::State::kRejected;
  });
}

Result<bool> LaneKeeper::end_waiting(const std::string& service, const std::string& request,
                                     messages::State state, const std::string& message) {
  // First the end, then out of the queue: a crash between the two does it again, and append refuses a second
  // end.
  SLIPWAY_ASSIGN(const auto deployment, world_.repository.deployments().find(request));
  if (deployment && !deployment->end) {
    messages::DeploymentStatus status;
    status.request_id = request;
    status.service_id = service;
    status.seq = static_cast<std::int64_t>(deployment->stages.size()) + 1;
    status.stage = messages::Stage::kDone;
    status.state = state;
    status.final = true;
    status.at = world_.clock.now();
    status.message = message;
    status.error =
        Error{ErrorKind::kConflict, fmt::format("request.{}", messages::to_string(state)), message, {}, {}};
    status.error_stage = "accepted";
    status.correlation_id = deployment->request.correlation_id;
    if (const auto lane = world_.repository.lanes().find(service);
        lane && *lane && (*lane)->wanted == ports::Wanted::kRunning)
      status.serving = (*lane)->committed;
    SLIPWAY_ASSIGN(const bool ended,
                   world_.repository.deployments().append(request, deployment->epoch, status));
    if (ended) hands_.outbox.wake(request);
  }
  return world_.repository.lanes().unqueue(service, request);
}

void LaneKeeper::take_over_if_abandoned(const ports::Lane& lane) {
  auto& observed = observed_[lane.service_id];
  if (observed.epoch != lane.epoch || observed.lease != lane.lease)
    observed = {lane.epoch, lane.lease, world_.clock.mono()};
  // The lock in state_dir proves that a predecessor of the same name is dead.
  const bool was_mine = lane.owner == world_.settings.owner;
  if (!was_mine && world_.clock.mono() - observed.since < world_.settings.lease_patience) return;
  const auto taken = world_.repository.lanes().take_over(lane, world_.settings.owner);
  if (taken && *taken) work_on(**taken);
}

void LaneKeeper::work_on(const ports::Lane& lane) {
  const auto deployment = world_.repository.deployments().find(*lane.active);
  if (!deployment || !*deployment) return;  // taken over again at the next look
  auto working = std::make_unique<Working>();
  working->request_id = *lane.active;
  working->epoch = lane.epoch;
  working->machine = first_machine(**deployment, lane);
  auto* raw = working.get();
  raw->thread = std::jthread([this, raw, lane, found = **deployment] {
    Journal journal(world_, hands_.outbox, found, lane, raw->hurry.get_token());
    const auto done = run_deployment(hands_, journal, raw->hurry.get_token(), shutdown_.get_token());
    if (!done && !shutdown_.stop_requested())
      world_.log.warn(fmt::format("deployment {} of {} was left", found.request_id, found.service_id),
                      done.error());
    raw->done = true;
    wake();
  });
  working_[lane.service_id] = std::move(working);
}

void LaneKeeper::renew_leases() {
  for (const auto& [service, working] : working_) {
    const auto renewed = world_.repository.lanes().renew(service, working->request_id, working->epoch);
    if (renewed && !*renewed && !working->done) working->hurry.request_stop();
  }
}

}  // namespace slipway::deployment_manager
