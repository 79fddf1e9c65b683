#pragma once

#include <chrono>
#include <string>
#include <vector>

namespace slipway::messages {

/// One topic as contracts/asyncapi.yaml has it; a test compares the two.
struct TopicSpec {
  std::string name;  ///< with its prefix
  int partitions = 6;
  bool compacted = false;
  std::chrono::hours retention{24};  ///< of a topic that is not compacted
};

/// The names of all topics under one prefix ("slipway." unless configured).
struct Topics {
  explicit Topics(std::string topic_prefix = "slipway.");

  std::string prefix;
  std::string service_requests, service_replies;
  std::string deployment_requests, deployment_status, deployment_output;
  std::string placement_requests, placement_replies;
  std::string sensor_requests, sensor_replies;
  std::string machine_requests, machine_replies, machine_registry, machine_state, machine_stats;
  std::string service_events;
  std::string alert_requests, alerts;
  std::string deadletter;

  /// Everything the server creates at start, with partitions and policy.
  std::vector<TopicSpec> all() const;
  /// The consumer group of a role: "slipway.sensor_manager". A system is up when its group has a member.
  std::string group(std::string_view role) const { return prefix + std::string(role); }
};

/// The consumer group of a user's service: "slipway.service.<name>".
std::string service_group(std::string_view service_id);

}  // namespace slipway::messages
