#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "ports/bus.hpp"

namespace slipway::fakes {

/// Kafka in memory that behaves like the real one (one suite runs on both): partitions, groups with
/// rebalances, offsets that survive their consumers; and that fails when told to. Time stamps come from the
/// clock it is given; waiting is in real time. Any thread may call. Consumers must not outlive it.
class FakeBus final : public ports::Bus {
 public:
  FakeBus();                       ///< stamps with the system's time
  explicit FakeBus(Clock& clock);  ///< the clock must outlive it
  ~FakeBus() override;

  Status publish(const ports::Outgoing& record) override;
  Status publish_later(const ports::Outgoing& record, std::function<void(Status)> done) override;
  Result<std::unique_ptr<ports::Consumer>> join_group(const std::string& group,
                                                      std::vector<std::string> topics,
                                                      ports::RebalanceListener* listener = nullptr) override;
  Result<std::unique_ptr<ports::Consumer>> read_all(std::vector<std::string> topics,
                                                    ports::From from) override;
  Status ensure_topics(std::span<const messages::TopicSpec> topics) override;
  Result<std::map<std::string, int>> partition_counts(std::span<const std::string> topics) override;
  Result<std::string> cluster_id() override;
  Result<int> group_members(const std::string& group) override;
  Result<std::map<std::string, bool>> group_reads(const std::string& group,
                                                  std::span<const std::string> topics) override;
  Result<std::map<ports::TopicPartition, std::int64_t>> committed(
      const std::string& group, std::span<const std::string> topics) override;
  Result<std::map<ports::TopicPartition, Range>> ranges(std::span<const std::string> topics) override;
  Result<std::optional<ports::Record>> last_record(const std::string& topic) override;
  Status commit_for(const std::string& group,
                    const std::map<ports::TopicPartition, std::int64_t>& offsets) override;
  Status ping(milliseconds timeout) override;

  // Hooks.
  /// The next `times` publishes to `topic` (empty: any) fail with `error` and write nothing.
  void fail_next_publish(const Error& error, int times = 1, const std::string& topic = {});
  /// The next `times` publishes are written, but their caller is told kUnknown: the answer got lost.
  void lose_answers(int times = 1);
  /// Every call fails as unavailable until set back; consumers report it from poll().
  void set_down(bool down);
  /// The topic, which is there, gets further partitions: as an operator's tool would do it.
  void add_partitions(const std::string& topic, int more);
  /// From now on it is another cluster, with the same topics.
  void set_cluster_id(const std::string& id);

  // What happened.
  /// Everything ever published to a topic, in order of publishing.
  std::vector<ports::Record> records(const std::string& topic) const;
  /// Waits until `enough(records of topic)`; false at the deadline.
  bool wait_for(const std::string& topic,
                const std::function<bool(const std::vector<ports::Record>&)>& enough,
                milliseconds timeout = milliseconds{5000}) const;
  /// Waits until the topic has `count` records and returns them; fewer at the deadline.
  std::vector<ports::Record> wait_for_count(const std::string& topic, std::size_t count,
                                            milliseconds timeout = milliseconds{5000}) const;
  /// How often members of the group have asked for records: a round of its role is over with the second one.
  int polls(const std::string& group) const;
  /// A record as a script would publish it: plain JSON, no headers, no key.
  void put_plain(const std::string& topic, const std::string& value);

 private:
  struct World;
  class Member;
  class Reader;
  std::shared_ptr<World> world_;
};

}  // namespace slipway::fakes
