#include "systems/monitoring_service/minutes.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "systems/monitoring_service/fold.hpp"

namespace slipway::monitoring_service {
namespace {

constexpr std::int64_t kMinuteMs = 60'000;
constexpr int kMostTries = 5;  // of a write that others overtake

}  // namespace

Minutes::Minutes(ports::Repository& repository, Clock& clock, Log log, std::string cluster_id,
                 MinutesSettings settings)
    : repository_(repository),
      clock_(clock),
      log_(std::move(log)),
      cluster_id_(std::move(cluster_id)),
      settings_(settings),
      owners_(repository, clock) {}

Result<Minute*> Minutes::open(const std::string& machine, const std::string& container_id,
                              std::int64_t start) {
  const std::string id = ports::minute_id(machine, container_id, start);
  if (const auto found = minutes_.find(id); found != minutes_.end()) return &found->second;
  const auto anew = [&] { return &minutes_.emplace(id, Minute(machine, container_id, start)).first->second; };
  const auto stored = repository_.samples().load(machine, container_id, start);
  if (stored && !*stored) return anew();
  auto loaded = stored ? Minute::from(**stored) : Result<Minute>(stored.error());
  if (loaded) return &minutes_.emplace(id, std::move(*loaded)).first->second;
  if (loaded.error().kind != ErrorKind::kCorrupt) return loaded.error();
  // What cannot be read cannot be kept either: the samples that come count more.
  log_.error("a stored minute cannot be read and is begun anew: " + id, loaded.error());
  return anew();
}

Result<std::optional<Owners::Owner>> Minutes::owner_of(const std::string& machine,
                                                       const std::string& container) {
  auto owner = owners_.find(machine, container);
  if (owner || owner.error().retryable()) return owner;
  log_.error("whose containers run on " + machine + " cannot be read: they count as others", owner.error());
  return std::nullopt;
}

Status Minutes::fold(const messages::MachineSample& sample, int partition, std::int64_t offset) {
  const std::int64_t start = sample.t / kMinuteMs * kMinuteMs;
  struct Ours {
    const messages::ContainerSample* container;
    Owners::Owner owner;
    Minute* minute;
  };
  // Everything that can fail comes first; then the sample goes into all its minutes, or into none.
  SLIPWAY_TRY(make_room(sample.containers.size() + 2));
  std::vector<Ours> ours;
  std::vector<const messages::ContainerSample*> not_ours;
  for (const auto& container : sample.containers) {
    SLIPWAY_ASSIGN(auto owner, owner_of(sample.machine, container.id));
    if (owner)
      ours.push_back({&container, std::move(*owner), nullptr});
    else
      not_ours.push_back(&container);
  }
  SLIPWAY_ASSIGN(Minute* const machine, open(sample.machine, "", start));
  for (auto& each : ours) {
    SLIPWAY_ASSIGN(each.minute, open(sample.machine, each.container->id, start));
  }
  Minute* others = nullptr;
  if (!not_ours.empty()) {
    SLIPWAY_ASSIGN(others, open(sample.machine, std::string(kOthers), start));
  }

  const MonoTime now = clock_.mono();
  fold_machine(sample, machine->fold(cluster_id_, partition, offset, now));
  for (auto& each : ours) {
    each.minute->set_owner(each.owner.service_id, each.owner.release);
    fold_container(sample, *each.container, each.minute->fold(cluster_id_, partition, offset, now));
  }
  if (others) fold_others(sample, not_ours, others->fold(cluster_id_, partition, offset, now));
  return {};
}

Status Minutes::make_room(std::size_t more) {
  if (minutes_.size() + more <= settings_.most) return {};
  SLIPWAY_TRY(flush());
  minutes_.clear();
  return {};
}

Status Minutes::flush_due() {
  const std::int64_t ended_before = to_ms(clock_.now() - settings_.settle) - kMinuteMs;
  const MonoTime now = clock_.mono();
  // A minute that ended long ago gets its late samples together: not every one of them is a write.
  const Status flushed = flush_if([&](const Minute& minute) {
    const auto waits = now - minute.unsaved_since();
    return waits >= settings_.flush_after || (minute.start() <= ended_before && waits >= settings_.settle);
  });
  drop_stored();
  return flushed;
}

Status Minutes::flush(const std::set<int>& partitions) {
  return flush_if([&](const Minute& minute) {
    return partitions.empty() || std::ranges::any_of(minute.unsaved_offsets(), [&](const auto& unsaved) {
             return partitions.contains(unsaved.first);
           });
  });
}

Status Minutes::flush_if(const std::function<bool(const Minute&)>& wanted) {
  std::vector<Minute*> due;
  for (auto& [id, minute] : minutes_)
    if (minute.unsaved() && wanted(minute)) due.push_back(&minute);
  return write(std::move(due));
}

Status Minutes::write(std::vector<Minute*> minutes) {
  for (int tries = 0; !minutes.empty(); ++tries) {
    if (tries == kMostTries)
      return unavailable("minutes.contended",
                         fmt::format("{} minutes are overtaken again and again", minutes.size()));
    std::vector<ports::MinuteDocument> documents;
    for (const auto* minute : minutes) documents.push_back(minute->document());
    SLIPWAY_ASSIGN(const auto refused, repository_.samples().write(documents));
    std::vector<Minute*> again;
    for (auto* minute : minutes) {
      if (std::ranges::find(refused, minute->id()) == refused.end()) {
        minute->saved();
        continue;
      }
      SLIPWAY_ASSIGN(const bool merged, merge_stored(*minute));
      if (merged)
        again.push_back(minute);
      else
        minute->saved();
    }
    minutes = std::move(again);
  }
  return {};
}

// Somebody reached further: what is stored and what we have, together. False: that cannot be read, so neither
// can ours be stored.
Result<bool> Minutes::merge_stored(Minute& minute) {
  const auto stored = repository_.samples().load(minute.machine(), minute.container_id(), minute.start());
  const Status merged = !stored ? Status(stored.error()) : *stored ? minute.merge(**stored) : Status();
  if (merged) return true;
  if (merged.error().kind != ErrorKind::kCorrupt) return merged.error();
  log_.error("a stored minute cannot be read, and it reaches further than ours: " + minute.id(),
             merged.error());
  return false;
}

void Minutes::drop_stored() {
  const MonoTime now = clock_.mono();
  std::erase_if(minutes_, [&](const auto& entry) {
    return !entry.second.unsaved() && now - entry.second.touched_at() > settings_.keep;
  });
}

void Minutes::forget(const std::set<int>& partitions) {
  std::erase_if(minutes_, [&](const auto& entry) { return partitions.contains(entry.second.partition()); });
}

std::optional<std::int64_t> Minutes::lowest_unsaved(int partition) const {
  std::optional<std::int64_t> lowest;
  for (const auto& [id, minute] : minutes_)
    if (const auto found = minute.unsaved_offsets().find(partition); found != minute.unsaved_offsets().end())
      if (!lowest || found->second < *lowest) lowest = found->second;
  return lowest;
}

}  // namespace slipway::monitoring_service
