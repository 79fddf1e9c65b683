#include "systems/deployment_manager/lane_keeper.hpp"

#include <fmt/format.h>

namespace slipway::deployment_manager {
namespace {

constexpr milliseconds kLookEvery{500};

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
  while (!stop.stop_requested()) {
    reap();
    look();
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
  if (!*deployment) {  // its insert was never stored: the record is redelivered and queued again
    (void)world_.repository.lanes().unqueue(lane.service_id, newest);
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
  const auto taken = world_.repository.lanes().take(lane.service_id, newest, world_.settings.owner);
  if (taken && *taken) work_on(**taken);
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
