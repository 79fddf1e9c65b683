#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "messages/parsed.hpp"
#include "messages/topics.hpp"

namespace slipway::ports {

struct Header {
  std::string name, value;
};

/// A record as it was read.
struct Record {
  std::string topic;
  int partition = 0;
  std::int64_t offset = 0;
  WallTime timestamp{};
  std::optional<std::string> key;
  std::optional<std::string> value;  ///< none: a tombstone
  std::vector<Header> headers;
  std::string place() const;  ///< "topic[partition]@offset"
};

/// A record to be written. CloudEvents headers are made from `source`, `type`, `subject`; `event_id` is the
/// CloudEvents id (random if empty): give the same one when publishing the same thing again.
struct Outgoing {
  std::string topic;
  std::string key;
  std::optional<std::string> value;  ///< none: a tombstone
  std::string source;                ///< "/deployment_manager", "/machines/edge-1", "/cli/anna"
  std::string type;                  ///< "slipway.deployment.status.v1"
  std::string subject;
  std::string event_id;
  std::vector<Header> more_headers;
};

/// CloudEvents 1.0 in binary mode, then `more_headers`.
std::vector<Header> headers_of(const Outgoing& record, WallTime now);
/// The value of a header, or nothing.
std::optional<std::string> find_header(const Record& record, std::string_view name);
/// Where a request without an id gets one from.
messages::RecordPlace place_of(const Record& record, const std::string& cluster_id);

struct TopicPartition {
  std::string topic;
  int partition = 0;
  auto operator<=>(const TopicPartition&) const = default;
};

/// Reads records. One thread polls; stop by destroying it.
class Consumer {
 public:
  virtual ~Consumer() = default;
  /// Up to `most` records, waiting at most `timeout` for the first. Empty: nothing came. Call at least every
  /// few seconds. An Error is passing trouble (broker away): poll again.
  virtual Result<std::vector<Record>> poll(std::size_t most, milliseconds timeout) = 0;
  /// Everything of this partition before `next_offset` has had its effect; committed soon after (group
  /// consumers only).
  /// kConflict `kafka.not_assigned` where another member has it by now.
  virtual Status store_offset(const TopicPartition& partition, std::int64_t next_offset) = 0;
  /// Commits what was stored, now. Called by the destructor too.
  virtual Status commit() = 0;
};

/// Told about partitions that come and go with the group's rebalances, from inside poll().
class RebalanceListener {
 public:
  virtual ~RebalanceListener() = default;
  virtual void assigned(std::span<const TopicPartition> partitions) = 0;
  /// Last chance to store offsets of them.
  virtual void revoked(std::span<const TopicPartition> partitions) = 0;
};

enum class From { kBeginning, kEnd };

/// Kafka, in our words. Any thread may call.
class Bus {
 public:
  virtual ~Bus() = default;

  /// Returns when the brokers have it (acks=all, idempotent), within 30 s. kUnknown on time-out: publish the
  /// same event_id again. kNotFound `kafka.no_topic`.
  virtual Status publish(const Outgoing& record) = 0;
  /// Queues it, in order per key; `done` is called from a thread of the bus, exactly once. An Error
  /// (kUnavailable: the queue is full): it was not queued and `done` is never called.
  virtual Status publish_later(const Outgoing& record, std::function<void(Status)> done) = 0;

  /// Shares the topics with all members of `group`; starts at the beginning where the group has no offset.
  virtual Result<std::unique_ptr<Consumer>> join_group(const std::string& group,
                                                       std::vector<std::string> topics,
                                                       RebalanceListener* listener = nullptr) = 0;
  /// Reads every partition of the topics, alone. Returns when the starting positions are fixed: what is
  /// published after that will be seen. kNotFound `kafka.no_topic` if one of them is missing.
  virtual Result<std::unique_ptr<Consumer>> read_all(std::vector<std::string> topics, From from) = 0;

  /// Creates what is missing. Existing topics are adopted, never altered; a wrong cleanup policy is an error.
  virtual Status ensure_topics(std::span<const messages::TopicSpec> topics) = 0;
  /// How many partitions each topic has; absent where it is missing or one of them has no leader yet.
  virtual Result<std::map<std::string, int>> partition_counts(std::span<const std::string> topics) = 0;
  virtual Result<std::string> cluster_id() = 0;
  /// Number of members of a consumer group; 0 if there is no such group.
  virtual Result<int> group_members(const std::string& group) = 0;
  /// Topic -> true if some member of the group reads at least one of its partitions.
  virtual Result<std::map<std::string, bool>> group_reads(const std::string& group,
                                                          std::span<const std::string> topics) = 0;
  /// Committed offsets of a group on all partitions of the topics; absent where there is none.
  virtual Result<std::map<TopicPartition, std::int64_t>> committed(const std::string& group,
                                                                   std::span<const std::string> topics) = 0;
  /// First offset that is still there, and the next one to be written, of each partition.
  struct Range {
    std::int64_t begin = 0, end = 0;
  };
  virtual Result<std::map<TopicPartition, Range>> ranges(std::span<const std::string> topics) = 0;
  /// The ends alone.
  Result<std::map<TopicPartition, std::int64_t>> end_offsets(std::span<const std::string> topics);
  /// The newest record of a topic over all its partitions, or nothing if it is empty or missing.
  virtual Result<std::optional<Record>> last_record(const std::string& topic) = 0;
  /// Commits offsets for a group (before a service starts for the first time). kConflict `kafka.group_active`
  /// if it has members.
  virtual Status commit_for(const std::string& group,
                            const std::map<TopicPartition, std::int64_t>& offsets) = 0;
  /// Fails within `timeout` unless a broker answers.
  virtual Status ping(milliseconds timeout) = 0;
};

}  // namespace slipway::ports
