#include "tests/fakes/fake_bus.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <set>
#include <stdexcept>

namespace slipway::fakes {

using ports::Outgoing;
using ports::Record;
using ports::TopicPartition;

namespace {

struct Topic {
  messages::TopicSpec spec;
  std::vector<std::vector<Record>> partitions;
  std::vector<Record> all;  // in order of publishing
};

struct Group {
  struct Membership {
    std::vector<std::string> topics;
    std::set<TopicPartition> assigned;  // what it should have
  };
  std::map<int, Membership> members;  // by number
  std::map<TopicPartition, std::int64_t> offsets;
  int polls = 0;
};

constexpr std::size_t kMostBytes = 1'000'000;  // message.max.bytes of the real one's producer

std::size_t bytes_of(const Record& record) {
  std::size_t all = record.key.value_or("").size() + record.value.value_or("").size();
  for (const auto& [name, value] : record.headers) all += name.size() + value.size();
  return all;
}

struct Failure {
  Error error;
  int times = 0;
  std::string topic;
};

}  // namespace

struct FakeBus::World {
  explicit World(Clock& a_clock) : clock(a_clock) {}

  Clock& clock;
  mutable std::mutex mutex;
  mutable std::condition_variable changed;
  std::map<std::string, Topic> topics;
  std::map<std::string, Group> groups;
  std::vector<Failure> failures;
  int lost_answers = 0;
  bool down = false;
  std::string cluster_id = "fake-cluster";
  int next_member = 1;
  std::size_t next_partition = 0;

  Status reachable() const {
    return down ? Status{unavailable("kafka.unavailable", "the fake bus is down")} : Status{};
  }

  Status publish(const Outgoing& outgoing) {
    std::lock_guard lock(mutex);
    SLIPWAY_TRY(reachable());
    for (auto& failure : failures) {
      if (failure.times == 0 || (!failure.topic.empty() && failure.topic != outgoing.topic)) continue;
      --failure.times;
      return failure.error;
    }
    Record record;
    record.topic = outgoing.topic;
    if (!outgoing.key.empty()) record.key = outgoing.key;
    record.value = outgoing.value;
    record.headers = headers_of(outgoing, clock.now());
    if (bytes_of(record) > kMostBytes) return invalid("kafka.too_large", "publishing to " + record.topic);
    SLIPWAY_TRY(append(std::move(record)));
    if (lost_answers > 0) {
      --lost_answers;
      return Error{ErrorKind::kUnknown, "kafka.timeout", "the fake bus lost the answer"};
    }
    return {};
  }

  Status append(Record record) {
    const auto topic = topics.find(record.topic);
    if (topic == topics.end()) return not_found("kafka.no_topic", "there is no topic " + record.topic);
    auto& partitions = topic->second.partitions;
    const std::size_t at =
        (record.key ? std::hash<std::string>{}(*record.key) : next_partition++) % partitions.size();
    record.partition = static_cast<int>(at);
    record.offset = static_cast<std::int64_t>(partitions[at].size());
    record.timestamp = clock.now();
    topic->second.all.push_back(record);
    partitions[at].push_back(std::move(record));
    changed.notify_all();
    return {};
  }

  // Every partition of a topic to one of the members that want it, evenly.
  void rebalance(Group& group) {
    for (auto& [number, member] : group.members) member.assigned.clear();
    std::set<std::string> wanted;
    for (const auto& [number, member] : group.members)
      wanted.insert(member.topics.begin(), member.topics.end());
    std::size_t turn = 0;
    for (const auto& name : wanted) {
      std::vector<Group::Membership*> takers;
      for (auto& [number, member] : group.members)
        if (std::find(member.topics.begin(), member.topics.end(), name) != member.topics.end())
          takers.push_back(&member);
      const auto topic = topics.find(name);
      if (topic == topics.end()) continue;
      for (std::size_t i = 0; i < topic->second.partitions.size(); ++i)
        takers[turn++ % takers.size()]->assigned.insert({name, static_cast<int>(i)});
    }
    changed.notify_all();
  }
};

/// A member of a group. Takes up and gives back partitions from inside poll(), as the real one does.
class FakeBus::Member final : public ports::Consumer {
 public:
  Member(std::shared_ptr<World> world, std::string group, std::vector<std::string> topics,
         ports::RebalanceListener* listener)
      : world_(std::move(world)), group_(std::move(group)), listener_(listener) {
    std::lock_guard lock(world_->mutex);
    number_ = world_->next_member++;
    Group& joined = world_->groups[group_];
    joined.members[number_].topics = std::move(topics);
    world_->rebalance(joined);
  }
  Member(const Member&) = delete;  // the world knows it by its number
  Member& operator=(const Member&) = delete;
  ~Member() override {
    drop({positions_.begin(), positions_.end()});
    std::lock_guard lock(world_->mutex);
    Group& group = world_->groups[group_];
    group.members.erase(number_);
    world_->rebalance(group);
  }

  Result<std::vector<Record>> poll(std::size_t most, milliseconds timeout) override {
    const auto deadline = std::chrono::steady_clock::now() + timeout;
    count_poll();
    for (;;) {
      settle();
      std::unique_lock lock(world_->mutex);
      SLIPWAY_TRY(world_->reachable());
      if (!stored_.empty()) commit_locked();  // the real one commits twice a second
      std::vector<Record> records;
      for (auto& [at, next] : positions_) {
        const auto& log = world_->topics.at(at.topic).partitions[static_cast<std::size_t>(at.partition)];
        for (; records.size() < most && next < static_cast<std::int64_t>(log.size()); ++next)
          records.push_back(log[static_cast<std::size_t>(next)]);
      }
      if (!records.empty()) return records;
      const auto has_changed = [&] { return world_->down || unsettled() || anything_new(); };
      if (!world_->changed.wait_until(lock, deadline, has_changed)) return records;
    }
  }

  Status store_offset(const TopicPartition& at, std::int64_t next_offset) override {
    std::lock_guard lock(world_->mutex);
    if (!positions_.contains(at))
      return conflict("kafka.not_assigned", "storing an offset of " + at.topic + ": not assigned");
    stored_[at] = next_offset;
    return {};
  }

  Status commit() override {
    std::lock_guard lock(world_->mutex);
    SLIPWAY_TRY(world_->reachable());
    commit_locked();
    return {};
  }

 private:
  void count_poll() {
    std::lock_guard lock(world_->mutex);
    ++world_->groups[group_].polls;
  }
  void commit_locked() {
    for (const auto& [at, offset] : stored_) world_->groups[group_].offsets[at] = offset;
    stored_.clear();
    world_->changed.notify_all();
  }
  bool unsettled() const {
    const auto& wanted = world_->groups[group_].members[number_].assigned;
    return wanted.size() != positions_.size() ||
           !std::all_of(wanted.begin(), wanted.end(),
                        [&](const auto& at) { return positions_.contains(at); });
  }
  bool anything_new() const {
    return std::any_of(positions_.begin(), positions_.end(), [&](const auto& position) {
      const auto& log = world_->topics.at(position.first.topic).partitions;
      return position.second <
             static_cast<std::int64_t>(log[static_cast<std::size_t>(position.first.partition)].size());
    });
  }
  void drop(const std::map<TopicPartition, std::int64_t>& lost) {
    std::vector<TopicPartition> partitions;
    for (const auto& [at, next] : lost) partitions.push_back(at);
    if (!partitions.empty() && listener_ != nullptr) listener_->revoked(partitions);
    std::lock_guard lock(world_->mutex);
    if (!world_->down) commit_locked();
    for (const auto& at : partitions) {
      positions_.erase(at);
      stored_.erase(at);
    }
  }
  void settle() {
    std::map<TopicPartition, std::int64_t> lost;
    std::vector<TopicPartition> gained;
    {
      std::lock_guard lock(world_->mutex);
      if (world_->down || !unsettled()) return;
      const auto& wanted = world_->groups[group_].members[number_].assigned;
      for (const auto& position : positions_)
        if (!wanted.contains(position.first)) lost.insert(position);
      for (const auto& at : wanted)
        if (!positions_.contains(at)) gained.push_back(at);
    }
    if (!lost.empty()) drop(lost);
    {
      std::lock_guard lock(world_->mutex);
      const auto& offsets = world_->groups[group_].offsets;
      for (const auto& at : gained) {
        const auto committed = offsets.find(at);
        positions_[at] = committed == offsets.end() ? 0 : committed->second;
      }
    }
    if (!gained.empty() && listener_ != nullptr) listener_->assigned(gained);
  }

  const std::shared_ptr<World> world_;
  const std::string group_;
  ports::RebalanceListener* const listener_;
  int number_ = 0;
  // guarded by the world's mutex
  std::map<TopicPartition, std::int64_t> positions_;
  std::map<TopicPartition, std::int64_t> stored_;
};

class FakeBus::Reader final : public ports::Consumer {
 public:
  Reader(std::shared_ptr<World> world, std::map<TopicPartition, std::int64_t> positions)
      : world_(std::move(world)), positions_(std::move(positions)) {}

  Result<std::vector<Record>> poll(std::size_t most, milliseconds timeout) override {
    std::unique_lock lock(world_->mutex);
    std::vector<Record> records;
    const auto take = [&] {
      for (auto& [at, next] : positions_) {
        const auto& log = world_->topics.at(at.topic).partitions[static_cast<std::size_t>(at.partition)];
        for (; records.size() < most && next < static_cast<std::int64_t>(log.size()); ++next)
          records.push_back(log[static_cast<std::size_t>(next)]);
      }
      return world_->down || !records.empty();
    };
    world_->changed.wait_for(lock, timeout, take);
    SLIPWAY_TRY(world_->reachable());
    return records;
  }
  Status store_offset(const TopicPartition& /*partition*/, std::int64_t /*next_offset*/) override {
    return internal_error("kafka.no_group", "offsets are stored by groups only");
  }
  Status commit() override { return {}; }

 private:
  const std::shared_ptr<World> world_;
  std::map<TopicPartition, std::int64_t> positions_;
};

namespace {
Clock& system_clock() {
  static SystemClock clock;
  return clock;
}
}  // namespace

FakeBus::FakeBus() : FakeBus(system_clock()) {}
FakeBus::FakeBus(Clock& clock) : world_(std::make_shared<World>(clock)) {}
FakeBus::~FakeBus() = default;

Status FakeBus::publish(const Outgoing& record) {
  return world_->publish(record);
}

Status FakeBus::publish_later(const Outgoing& record, std::function<void(Status)> done) {
  done(world_->publish(record));
  return {};
}

Result<std::unique_ptr<ports::Consumer>> FakeBus::join_group(const std::string& group,
                                                             std::vector<std::string> topics,
                                                             ports::RebalanceListener* listener) {
  return std::make_unique<Member>(world_, group, std::move(topics), listener);
}

Result<std::unique_ptr<ports::Consumer>> FakeBus::read_all(std::vector<std::string> topics,
                                                           ports::From from) {
  SLIPWAY_ASSIGN(const auto found, ranges(topics));
  std::map<TopicPartition, std::int64_t> positions;
  for (const auto& [at, range] : found) positions[at] = from == ports::From::kEnd ? range.end : range.begin;
  for (const auto& topic : topics)
    if (!positions.contains({topic, 0})) return not_found("kafka.no_topic", "there is no topic " + topic);
  return std::make_unique<Reader>(world_, std::move(positions));
}

Status FakeBus::ensure_topics(std::span<const messages::TopicSpec> topics) {
  std::lock_guard lock(world_->mutex);
  SLIPWAY_TRY(world_->reachable());
  for (const auto& spec : topics) {
    auto [topic, is_new] = world_->topics.try_emplace(spec.name);
    if (is_new) {
      topic->second.spec = spec;
      topic->second.partitions.resize(static_cast<std::size_t>(spec.partitions));
    } else if (topic->second.spec.compacted != spec.compacted) {
      return conflict("kafka.cleanup_policy", "topic " + spec.name + " exists with another cleanup policy");
    }
  }
  for (auto& [name, group] : world_->groups) world_->rebalance(group);
  return {};
}

Result<std::map<std::string, int>> FakeBus::partition_counts(std::span<const std::string> topics) {
  std::lock_guard lock(world_->mutex);
  SLIPWAY_TRY(world_->reachable());
  std::map<std::string, int> out;
  for (const auto& name : topics)
    if (const auto topic = world_->topics.find(name); topic != world_->topics.end())
      out[name] = static_cast<int>(topic->second.partitions.size());
  return out;
}

Result<std::string> FakeBus::cluster_id() {
  std::lock_guard lock(world_->mutex);
  SLIPWAY_TRY(world_->reachable());
  return world_->cluster_id;
}

Result<int> FakeBus::group_members(const std::string& group) {
  std::lock_guard lock(world_->mutex);
  SLIPWAY_TRY(world_->reachable());
  const auto found = world_->groups.find(group);
  return found == world_->groups.end() ? 0 : static_cast<int>(found->second.members.size());
}

Result<std::map<std::string, bool>> FakeBus::group_reads(const std::string& group,
                                                         std::span<const std::string> topics) {
  std::lock_guard lock(world_->mutex);
  SLIPWAY_TRY(world_->reachable());
  std::map<std::string, bool> out;
  for (const auto& topic : topics) out[topic] = false;
  const auto found = world_->groups.find(group);
  if (found == world_->groups.end()) return out;
  for (const auto& [number, member] : found->second.members)
    for (const auto& at : member.assigned)
      if (const auto topic = out.find(at.topic); topic != out.end()) topic->second = true;
  return out;
}

Result<std::map<TopicPartition, std::int64_t>> FakeBus::committed(const std::string& group,
                                                                  std::span<const std::string> topics) {
  std::lock_guard lock(world_->mutex);
  SLIPWAY_TRY(world_->reachable());
  std::map<TopicPartition, std::int64_t> out;
  const auto found = world_->groups.find(group);
  if (found == world_->groups.end()) return out;
  for (const auto& [at, offset] : found->second.offsets)
    if (std::find(topics.begin(), topics.end(), at.topic) != topics.end()) out[at] = offset;
  return out;
}

Result<std::map<TopicPartition, ports::Bus::Range>> FakeBus::ranges(std::span<const std::string> topics) {
  std::lock_guard lock(world_->mutex);
  SLIPWAY_TRY(world_->reachable());
  std::map<TopicPartition, Range> out;
  for (const auto& name : topics) {
    const auto topic = world_->topics.find(name);
    if (topic == world_->topics.end()) continue;
    for (std::size_t i = 0; i < topic->second.partitions.size(); ++i)
      out[{name, static_cast<int>(i)}] = {0, static_cast<std::int64_t>(topic->second.partitions[i].size())};
  }
  return out;
}

Result<std::optional<Record>> FakeBus::last_record(const std::string& topic) {
  std::lock_guard lock(world_->mutex);
  SLIPWAY_TRY(world_->reachable());
  const auto found = world_->topics.find(topic);
  if (found == world_->topics.end() || found->second.all.empty()) return std::optional<Record>{};
  return std::optional<Record>{found->second.all.back()};
}

Status FakeBus::commit_for(const std::string& group, const std::map<TopicPartition, std::int64_t>& offsets) {
  std::lock_guard lock(world_->mutex);
  SLIPWAY_TRY(world_->reachable());
  Group& found = world_->groups[group];
  if (!found.members.empty() && !offsets.empty())
    return conflict("kafka.group_active", "committing offsets for group " + group + ": it has members");
  for (const auto& [at, offset] : offsets) found.offsets[at] = offset;
  return {};
}

Status FakeBus::ping(milliseconds /*timeout*/) {
  std::lock_guard lock(world_->mutex);
  return world_->reachable();
}

void FakeBus::fail_next_publish(const Error& error, int times, const std::string& topic) {
  std::lock_guard lock(world_->mutex);
  world_->failures.push_back({error, times, topic});
}

void FakeBus::lose_answers(int times) {
  std::lock_guard lock(world_->mutex);
  world_->lost_answers = times;
}

void FakeBus::set_down(bool down) {
  std::lock_guard lock(world_->mutex);
  world_->down = down;
  world_->changed.notify_all();
}

void FakeBus::add_partitions(const std::string& topic, int more) {
  std::lock_guard lock(world_->mutex);
  auto& partitions = world_->topics.at(topic).partitions;
  partitions.resize(partitions.size() + static_cast<std::size_t>(more));
  for (auto& [name, group] : world_->groups) world_->rebalance(group);
}

void FakeBus::set_cluster_id(const std::string& id) {
  std::lock_guard lock(world_->mutex);
  world_->cluster_id = id;
}

std::vector<Record> FakeBus::records(const std::string& topic) const {
  std::lock_guard lock(world_->mutex);
  const auto found = world_->topics.find(topic);
  return found == world_->topics.end() ? std::vector<Record>{} : found->second.all;
}

bool FakeBus::wait_for(const std::string& topic,
                       const std::function<bool(const std::vector<Record>&)>& enough,
                       milliseconds timeout) const {
  std::unique_lock lock(world_->mutex);
  return world_->changed.wait_for(lock, timeout, [&] {
    const auto found = world_->topics.find(topic);
    return enough(found == world_->topics.end() ? std::vector<Record>{} : found->second.all);
  });
}

std::vector<Record> FakeBus::wait_for_count(const std::string& topic, std::size_t count,
                                            milliseconds timeout) const {
  (void)wait_for(topic, [&](const auto& all) { return all.size() >= count; }, timeout);
  return records(topic);
}

int FakeBus::polls(const std::string& group) const {
  std::lock_guard lock(world_->mutex);
  const auto found = world_->groups.find(group);
  return found == world_->groups.end() ? 0 : found->second.polls;
}

void FakeBus::put_plain(const std::string& topic, const std::string& value) {
  std::lock_guard lock(world_->mutex);
  Record record;
  record.topic = topic;
  record.value = value;
  if (const auto status = world_->append(std::move(record)); !status)
    throw std::logic_error(to_string(status.error()));  // a mistake of the test
}

}  // namespace slipway::fakes
