#pragma once

#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "adapters/kafka/client.hpp"
#include "messages/topics.hpp"
#include "ports/bus.hpp"

namespace slipway::kafka {

/// Questions to the brokers and changes that are no records. Any thread may call; every call ends within 15
/// s.
class Admin {
 public:
  static Result<std::unique_ptr<Admin>> create(const KafkaSettings& settings);

  Status ping(milliseconds timeout);
  Result<std::string> cluster_id();
  Status ensure_topics(std::span<const messages::TopicSpec> topics);
  /// Partition counts of those that exist and have leaders.
  Result<std::map<std::string, int>> partitions(std::span<const std::string> topics);
  Result<std::map<ports::TopicPartition, ports::Bus::Range>> ranges(std::span<const std::string> topics);

  Result<int> group_members(const std::string& group);
  Result<std::map<std::string, bool>> group_reads(const std::string& group,
                                                  std::span<const std::string> topics);
  Result<std::map<ports::TopicPartition, std::int64_t>> committed(const std::string& group,
                                                                  std::span<const std::string> topics);
  Status commit_for(const std::string& group, const std::map<ports::TopicPartition, std::int64_t>& offsets);

 private:
  explicit Admin(Client client) : client_(std::move(client)) {}
  struct Cluster {
    std::map<std::string, int> partitions;  // topic -> count, of those that exist and have leaders
    int brokers = 0;
  };
  Result<Cluster> cluster();
  Result<ports::Bus::Range> range(const std::string& topic, int partition);
  Status create_topics(const std::vector<messages::TopicSpec>& topics, int brokers);
  Status check_policies(const std::vector<messages::TopicSpec>& topics);
  Status wait_for_topics(const std::vector<messages::TopicSpec>& topics);

  Client client_;
};

}  // namespace slipway::kafka
