#include <algorithm>

#include "check/collect.hpp"

namespace slipway::check {
namespace {

constexpr std::size_t kAtOnce = 500;
constexpr milliseconds kPollFor{500};
constexpr std::chrono::seconds kReadWithin{60};
constexpr std::size_t kMostOfOne = 2'000;  // messages of one request that are kept
constexpr std::size_t kMostUnknown = 1'000;

/// How far each partition is to be read.
class Ends {
 public:
  Ends(const std::map<ports::TopicPartition, ports::Bus::Range>& ranges, Snapshot& snapshot, WallTime now)
      : snapshot_(snapshot) {
    for (const auto& [partition, range] : ranges) {
      if (range.begin < range.end) left_[partition] = range.end;
      if (range.begin == 0) continue;
      if (range.begin < range.end)
        cut_.insert(partition);
      else
        snapshot.told_since = now;  // all of it has left the topic
    }
  }
  bool reached() const { return left_.empty(); }
  void pass(const ports::Record& record) {
    const ports::TopicPartition partition{record.topic, record.partition};
    if (cut_.erase(partition) > 0)  // the first one that is still there
      snapshot_.told_since = std::max(snapshot_.told_since, record.timestamp);
    const auto found = left_.find(partition);
    if (found != left_.end() && record.offset + 1 >= found->second) left_.erase(found);
  }

 private:
  Snapshot& snapshot_;
  std::map<ports::TopicPartition, std::int64_t> left_;
  std::set<ports::TopicPartition> cut_;
};

void take(const ports::Record& record, WallTime since, Snapshot& snapshot, std::set<std::string>& unknown) {
  const auto status = messages::parse_deployment_status(record.value.value_or(""));
  if (!status) return;  // anybody may write there: what is no status tells nothing
  ++snapshot.messages;
  if (snapshot.deployments.contains(status->request_id)) {
    auto& told = snapshot.told[status->request_id];
    if (told.size() < kMostOfOne) told.insert({status->seq, status->stage, status->state, status->final});
  } else if (record.timestamp > since && unknown.size() < kMostUnknown) {
    unknown.insert(status->request_id);
  }
}

}  // namespace

Result<std::set<std::string>> read_status_topic(const Sources& sources, WallTime since, Snapshot& snapshot,
                                                const std::stop_token& stop) {
  const std::vector<std::string> topics{sources.topics.deployment_status};
  SLIPWAY_ASSIGN(const auto consumer, sources.bus.read_all(topics, ports::From::kBeginning));
  SLIPWAY_ASSIGN(const auto ranges, sources.bus.ranges(topics));
  Ends ends(ranges, snapshot, sources.clock.now());
  std::set<std::string> unknown;
  const MonoTime deadline = sources.clock.mono() + kReadWithin;
  while (!ends.reached()) {
    if (stop.stop_requested()) return unavailable("server.stopping", "the server stops");
    if (sources.clock.mono() > deadline)
      return unavailable("kafka.unreachable", "the status topic could not be read to its end in 60 s");
    SLIPWAY_ASSIGN(const auto records, consumer->poll(kAtOnce, kPollFor));
    for (const auto& record : records) {
      take(record, since, snapshot, unknown);
      ends.pass(record);
    }
  }
  return unknown;
}

}  // namespace slipway::check
