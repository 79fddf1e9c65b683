#include "systems/deployment_manager/outbox.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace slipway::deployment_manager {
namespace {

constexpr std::chrono::seconds kLookAgain{3};

}  // namespace

Outbox::Outbox(World& world) : world_(world), worker_([this](const std::stop_token& stop) { run(stop); }) {}

void Outbox::wake(const std::string& request_id) {
  {
    std::lock_guard lock(mutex_);
    woken_.insert(request_id);
  }
  changed_.notify_all();
}

void Outbox::repeat_last(const std::string& request_id) {
  {
    std::lock_guard lock(mutex_);
    again_.insert(request_id);
  }
  changed_.notify_all();
}

void Outbox::run(const std::stop_token& stop) {
  MonoTime next_look{};
  while (!stop.stop_requested()) {
    std::set<std::string> todo, again;
    {
      std::unique_lock lock(mutex_);
      changed_.wait_for(lock, stop, std::chrono::milliseconds{500},
                        [&] { return !woken_.empty() || !again_.empty(); });
      todo.swap(woken_);
      again.swap(again_);
    }
    // What a killed predecessor, or a failed try, left behind.
    if (world_.clock.mono() >= next_look) {
      next_look = world_.clock.mono() + kLookAgain;
      if (auto left = world_.repository.deployments().unpublished(); left)
        for (const auto& deployment : *left)
          if (deployment.published < static_cast<std::int64_t>(deployment.stages.size()) || deployment.end)
            todo.insert(deployment.request_id);
    }
    for (const auto& id : todo)
      if (auto done = publish(id, false); !done) {
        world_.log.warn("publishing a deployment's status failed", done.error());
        if (stop.stop_requested()) return;  // the next start finds the rest
      }
    for (const auto& id : again)
      if (auto done = publish(id, true); !done) repeat_last(id);
  }
}

Status Outbox::publish(const std::string& request_id, bool again) {
  SLIPWAY_ASSIGN(auto deployment, world_.repository.deployments().find(request_id));
  if (!deployment || deployment->stages.empty()) return {};
  const auto count = static_cast<std::int64_t>(deployment->stages.size());
  // Said again is the last entry, but never before those that nobody has said yet.
  for (std::int64_t i = again ? std::min(deployment->published, count - 1) : deployment->published; i < count;
       ++i) {
    const auto& status = deployment->stages[static_cast<std::size_t>(i)];
    ports::Outgoing record{.topic = world_.topics.deployment_status,
                           .key = status.service_id,
                           .value = messages::to_json(status),
                           .source = "/deployment_manager",
                           .type = "slipway.deployment.status.v1",
                           .subject = fmt::format("{}/{}", status.service_id, status.request_id),
                           .event_id = fmt::format("{}-{}", status.request_id, status.seq),
                           .more_headers = {}};
    if (status.final) world_.failpoints.hit(Failpoint::kEnded, status.service_id);
    SLIPWAY_TRY(world_.bus.publish(record));
  }
  return again ? Status{} : world_.repository.deployments().mark_published(request_id, count);
}

}  // namespace slipway::deployment_manager
