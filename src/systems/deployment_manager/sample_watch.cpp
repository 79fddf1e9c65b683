#include "systems/deployment_manager/sample_watch.hpp"

#include "messages/machine_sample.hpp"

namespace slipway::deployment_manager {

SampleWatch::SampleWatch(World& world)
    : world_(world),
      reader_(world.bus, world.clock, world.log, {world.topics.machine_stats}, ports::From::kEnd,
              [this](const ports::Record& record) { hear(record); }) {}

void SampleWatch::hear(const ports::Record& record) {
  if (!record.value) return;
  const auto sample = messages::parse_machine_sample(*record.value);
  if (!sample) return;  // the Monitoring Service dead-letters and counts it
  std::lock_guard lock(mutex_);
  seen_[sample->machine] = {sample->boot_id, world_.clock.mono()};
  heard_.notify_all();
}

std::optional<SampleWatch::Seen> SampleWatch::last(const std::string& machine) const {
  std::lock_guard lock(mutex_);
  const auto found = seen_.find(machine);
  return found == seen_.end() ? std::nullopt : std::optional(found->second);
}

bool SampleWatch::wait(const std::string& machine, MonoTime since, const std::string& not_boot_id,
                       MonoTime deadline, const std::stop_token& stop) const {
  std::unique_lock lock(mutex_);
  const auto here = [&] {
    const auto found = seen_.find(machine);
    return found != seen_.end() && found->second.at >= since &&
           (not_boot_id.empty() || found->second.boot_id != not_boot_id);
  };
  while (!here() && !stop.stop_requested() && world_.clock.mono() < deadline)
    heard_.wait_for(lock, stop, std::chrono::milliseconds{200}, here);
  return here();
}

}  // namespace slipway::deployment_manager
