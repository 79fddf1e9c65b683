#include "systems/monitoring_service/samples.hpp"

#include "messages/machine_sample.hpp"
#include "ports/dead_letter.hpp"

namespace slipway::monitoring_service {
namespace {

constexpr std::size_t kMostAtOnce = 500;
constexpr milliseconds kPollFor{200};
constexpr milliseconds kPollPause{1'000};
// A member that never polls is thrown out of its group; one record a minute is little enough to take in
// always.
constexpr std::chrono::seconds kPollAtLeastEvery{60};
constexpr std::size_t kFoldsBetweenFlushes = 2'000;

std::set<int> numbers(std::span<const ports::TopicPartition> partitions) {
  std::set<int> found;
  for (const auto& partition : partitions) found.insert(partition.partition);
  return found;
}

}  // namespace

Samples::Samples(ports::Bus& bus, ports::Repository& repository, Clock& clock, Log log,
                 messages::Topics topics, MinutesSettings minutes, std::size_t most_waiting)
    : bus_(bus),
      repository_(repository),
      clock_(clock),
      log_(std::move(log)),
      topics_(std::move(topics)),
      minutes_settings_(minutes),
      most_waiting_(most_waiting) {}

Samples::~Samples() = default;

void Samples::run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    if (!consumer_) {
      join(stop);
      continue;
    }
    read(stop);
    if (clock_.mono() < not_before_) continue;
    fold_waiting();
    flush();
    store_offsets();
  }
  if (!minutes_ || !consumer_) return;
  if (const Status flushed = minutes_->flush(); !flushed)
    log_.warn("samples stay on Kafka until the next start", flushed.error());
  store_offsets();
  consumer_.reset();
}

void Samples::join(const std::stop_token& stop) {
  const auto join_once = [&]() -> Status {
    SLIPWAY_ASSIGN(const std::string cluster_id, bus_.cluster_id());
    if (!minutes_) minutes_.emplace(repository_, clock_, log_, cluster_id, minutes_settings_);
    SLIPWAY_ASSIGN(consumer_,
                   bus_.join_group(topics_.group("monitoring_service"), {topics_.machine_stats}, this));
    return {};
  };
  const Status joined = join_once();
  if (joined) {
    pause_.reset();
    return;
  }
  log_.warn("reading samples cannot begin, trying again", joined.error());
  clock_.sleep(pause_.next(), stop);
}

void Samples::read(const std::stop_token& stop) {
  const std::size_t room = most_waiting_ - std::min(most_waiting_, waiting_.size());
  const bool overdue = clock_.mono() - last_poll_ >= kPollAtLeastEvery;
  if (room == 0 && !overdue) {
    clock_.sleep(kPollFor, stop);
    return;
  }
  last_poll_ = clock_.mono();
  const bool idle = waiting_.empty() || clock_.mono() < not_before_;
  auto records = consumer_->poll(std::max<std::size_t>(1, std::min(room, kMostAtOnce)),
                                 idle ? kPollFor : milliseconds{0});
  if (!records) {
    log_.warn("reading samples failed, trying again", records.error());
    clock_.sleep(kPollPause, stop);
    return;
  }
  for (auto& record : *records) waiting_.push_back(std::move(record));
}

void Samples::fold_waiting() {
  for (std::size_t count = 0; !waiting_.empty() && count < kFoldsBetweenFlushes; ++count) {
    const ports::Record& record = waiting_.front();
    if (const Status taken = take(record); !taken) return trouble("storing samples", taken.error());
    next_[record.partition] = record.offset + 1;
    waiting_.pop_front();
  }
}

Status Samples::take(const ports::Record& record) {
  const auto sample = messages::parse_machine_sample(record.value.value_or(""));
  Status placed = sample ? place(record, *sample) : Status(sample.error());
  if (placed || placed.error().retryable()) return placed;
  // Nothing that is tried again would make it better: the partition goes on without it.
  log_.warn("a sample went to the dead-letter topic: " + record.place(), placed.error());
  return ports::write_dead_letter(bus_, topics_.deadletter, "/monitoring_service", record, placed.error());
}

Status Samples::place(const ports::Record& record, const messages::MachineSample& sample) {
  if (record.key && !record.key->empty() && *record.key != sample.machine)
    return invalid("sample.key", "the record's key is not its machine");
  const Status folded = minutes_->fold(sample, record.partition, record.offset);
  if (folded || folded.error().retryable()) return folded;
  // The sample is well: what went wrong is the Repository's, and may be mended. It waits.
  return unavailable("repository.refused", "storing a sample: " + to_string(folded.error()));
}

void Samples::flush() {
  if (const Status flushed = minutes_->flush_due(); !flushed)
    return trouble("storing minutes", flushed.error());
  if (waiting_.empty()) pause_.reset();
}

void Samples::trouble(const std::string& doing, const Error& error) {
  not_before_ = clock_.mono() + pause_.next();
  if (pause_.tries() == 1 || pause_.tries() % 10 == 0)
    log_.warn(doing + " does not work, trying again", error);
}

void Samples::store_offsets() {
  for (const auto& [partition, next] : next_) {
    const std::int64_t offset = minutes_->lowest_unsaved(partition).value_or(next);
    if (const auto stored = stored_.find(partition); stored != stored_.end() && stored->second >= offset)
      continue;
    if (const Status done = consumer_->store_offset({topics_.machine_stats, partition}, offset); !done) {
      log_.info("an offset was not stored: " + to_string(done.error()));  // read again elsewhere: harmless
      continue;
    }
    stored_[partition] = offset;
  }
}

void Samples::assigned(std::span<const ports::TopicPartition> partitions) {
  forget(partitions);  // others have collected them meanwhile
}

void Samples::revoked(std::span<const ports::TopicPartition> partitions) {
  if (!minutes_ || !consumer_) return;
  if (const Status flushed = minutes_->flush(numbers(partitions)); !flushed)
    log_.warn("samples of partitions that go elsewhere are read again there", flushed.error());
  store_offsets();
  forget(partitions);
}

void Samples::forget(std::span<const ports::TopicPartition> partitions) {
  const auto gone = numbers(partitions);
  if (minutes_) minutes_->forget(gone);
  std::erase_if(waiting_, [&](const auto& record) { return gone.contains(record.partition); });
  std::erase_if(next_, [&](const auto& entry) { return gone.contains(entry.first); });
  std::erase_if(stored_, [&](const auto& entry) { return gone.contains(entry.first); });
}

}  // namespace slipway::monitoring_service
