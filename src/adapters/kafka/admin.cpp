#include "adapters/kafka/admin.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "adapters/kafka/ask.hpp"
#include "adapters/kafka/kafka_error.hpp"

namespace slipway::kafka {
namespace {

using messages::TopicSpec;
using ports::TopicPartition;

constexpr milliseconds kElectionMs{5000};

Result<NewTopic> make_topic(const TopicSpec& spec, int brokers) {
  char text[512];
  const int replicas = std::clamp(brokers, 1, 3);
  NewTopic topic(rd_kafka_NewTopic_new(spec.name.c_str(), spec.partitions, replicas, text, sizeof text));
  if (!topic) return invalid("kafka.topic_name", fmt::format("topic {}: {}", spec.name, text));
  const auto set = [&](const char* name, const std::string& value) {
    rd_kafka_NewTopic_set_config(topic.get(), name, value.c_str());
  };
  set("cleanup.policy", spec.compacted ? "compact" : "delete");
  if (!spec.compacted) set("retention.ms", std::to_string(milliseconds(spec.retention).count()));
  if (replicas >= 3) set("min.insync.replicas", "2");
  return topic;
}

std::string cleanup_policy(const rd_kafka_ConfigResource_t* resource) {
  std::size_t count = 0;
  const auto* entries = rd_kafka_ConfigResource_configs(resource, &count);
  for (std::size_t i = 0; i < count; ++i)
    if (std::string_view(rd_kafka_ConfigEntry_name(entries[i])) == "cleanup.policy")
      return rd_kafka_ConfigEntry_value(entries[i]);
  return {};
}

}  // namespace

Result<std::unique_ptr<Admin>> Admin::create(const KafkaSettings& settings) {
  SLIPWAY_ASSIGN(Conf conf, make_conf(settings,
                                      {{"socket.keepalive.enable", "true"},
                                       {"reconnect.backoff.max.ms", "2000"},
                                       {"socket.timeout.ms", "10000"}},
                                      {}));
  SLIPWAY_ASSIGN(Client client, make_client(RD_KAFKA_PRODUCER, std::move(conf)));
  return std::unique_ptr<Admin>(new Admin(std::move(client)));
}

Status Admin::ping(milliseconds timeout) {
  const rd_kafka_metadata_t* metadata = nullptr;
  const auto code = rd_kafka_metadata(client_.get(), /*all_topics=*/0, nullptr, &metadata,
                                      static_cast<int>(std::min<std::int64_t>(timeout.count(), 60'000)));
  const Metadata owned(metadata);
  if (code == RD_KAFKA_RESP_ERR_NO_ERROR) return {};
  Error error = kafka_error(code, "asking Kafka whether it is there");
  error.kind = ErrorKind::kUnavailable;
  return error;
}

Result<std::string> Admin::cluster_id() {
  char* id = rd_kafka_clusterid(client_.get(), kRequestMs);
  if (id == nullptr) return unavailable("kafka.unavailable", "asking Kafka for its cluster id: no answer");
  std::string out = id;
  rd_kafka_mem_free(client_.get(), id);
  return out;
}

Result<Admin::Cluster> Admin::cluster() {
  const rd_kafka_metadata_t* metadata = nullptr;
  const auto code = rd_kafka_metadata(client_.get(), /*all_topics=*/1, nullptr, &metadata, kRequestMs);
  const Metadata owned(metadata);
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR) return kafka_error(code, "asking Kafka for its topics");
  Cluster out;
  out.brokers = metadata->broker_cnt;
  for (int i = 0; i < metadata->topic_cnt; ++i) {
    const auto& topic = metadata->topics[i];
    const bool led =
        std::all_of(topic.partitions, topic.partitions + topic.partition_cnt,
                    [](const rd_kafka_metadata_partition& partition) { return partition.leader >= 0; });
    if (topic.err == RD_KAFKA_RESP_ERR_NO_ERROR && topic.partition_cnt > 0 && led)
      out.partitions[topic.topic] = topic.partition_cnt;
  }
  return out;
}

Result<std::map<std::string, int>> Admin::partitions(std::span<const std::string> topics) {
  SLIPWAY_ASSIGN(const Cluster all, cluster());
  std::map<std::string, int> out;
  for (const auto& topic : topics)
    if (const auto found = all.partitions.find(topic); found != all.partitions.end()) out.insert(*found);
  return out;
}

Status Admin::ensure_topics(std::span<const TopicSpec> topics) {
  SLIPWAY_ASSIGN(const Cluster there, cluster());
  std::vector<TopicSpec> missing, existing;
  for (const auto& spec : topics) (there.partitions.contains(spec.name) ? existing : missing).push_back(spec);
  if (!missing.empty()) {
    SLIPWAY_TRY(create_topics(missing, there.brokers));
    SLIPWAY_TRY(wait_for_topics(missing));
  }
  return existing.empty() ? Status{} : check_policies(existing);
}

Status Admin::create_topics(const std::vector<TopicSpec>& topics, int brokers) {
  std::vector<NewTopic> owned;
  std::vector<rd_kafka_NewTopic_t*> raw;
  for (const auto& spec : topics) {
    SLIPWAY_ASSIGN(NewTopic topic, make_topic(spec, brokers));
    raw.push_back(topic.get());
    owned.push_back(std::move(topic));
  }
  SLIPWAY_ASSIGN(const Event event, ask(client_.get(), RD_KAFKA_ADMIN_OP_CREATETOPICS, "creating topics",
                                        [&](const auto* options, auto* queue) {
                                          rd_kafka_CreateTopics(client_.get(), raw.data(), raw.size(),
                                                                options, queue);
                                        }));
  std::size_t count = 0;
  const auto* results =
      rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event.get()), &count);
  for (std::size_t i = 0; i < count; ++i) {
    const auto code = rd_kafka_topic_result_error(results[i]);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR || code == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS) continue;
    const char* text = rd_kafka_topic_result_error_string(results[i]);
    return kafka_error(code, fmt::format("creating topic {}", rd_kafka_topic_result_name(results[i])),
                       text == nullptr ? "" : text);
  }
  return {};
}

// Created is not yet usable: brokers learn of it one after the other.
Status Admin::wait_for_topics(const std::vector<TopicSpec>& topics) {
  const auto deadline = std::chrono::steady_clock::now() + milliseconds{kAnswerMs};
  for (;;) {
    SLIPWAY_ASSIGN(const Cluster there, cluster());
    const auto absent = std::find_if(topics.begin(), topics.end(), [&](const TopicSpec& spec) {
      return !there.partitions.contains(spec.name);
    });
    if (absent == topics.end()) return {};
    if (std::chrono::steady_clock::now() > deadline)
      return unavailable("kafka.unavailable",
                         fmt::format("topic {} was created and is not there", absent->name));
    std::this_thread::sleep_for(milliseconds{20});
  }
}

Status Admin::check_policies(const std::vector<TopicSpec>& topics) {
  std::vector<ConfigResource> owned;
  std::vector<rd_kafka_ConfigResource_t*> raw;
  for (const auto& spec : topics) {
    owned.emplace_back(rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, spec.name.c_str()));
    raw.push_back(owned.back().get());
  }
  SLIPWAY_ASSIGN(const Event event,
                 ask(client_.get(), RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS, "asking for the topics' settings",
                     [&](const auto* options, auto* queue) {
                       rd_kafka_DescribeConfigs(client_.get(), raw.data(), raw.size(), options, queue);
                     }));
  std::size_t count = 0;
  const auto* resources =
      rd_kafka_DescribeConfigs_result_resources(rd_kafka_event_DescribeConfigs_result(event.get()), &count);
  for (std::size_t i = 0; i < count; ++i) {
    const std::string name = rd_kafka_ConfigResource_name(resources[i]);
    if (const auto code = rd_kafka_ConfigResource_error(resources[i]))
      return kafka_error(code, "asking for the settings of topic " + name);
    const auto spec =
        std::find_if(topics.begin(), topics.end(), [&](const TopicSpec& one) { return one.name == name; });
    const std::string policy = cleanup_policy(resources[i]);
    const bool compacted = policy.find("compact") != std::string::npos;
    if (spec != topics.end() && compacted != spec->compacted)
      return conflict("kafka.cleanup_policy",
                      fmt::format("topic {} exists with cleanup.policy={}, needed is {}", name, policy,
                                  spec->compacted ? "compact" : "delete"),
                      "alter or delete the topic, or set another kafka.topic_prefix");
  }
  return {};
}

Result<ports::Bus::Range> Admin::range(const std::string& topic, int partition) {
  const auto deadline = std::chrono::steady_clock::now() + kElectionMs;
  for (;;) {
    ports::Bus::Range range;
    const auto code = rd_kafka_query_watermark_offsets(client_.get(), topic.c_str(), partition, &range.begin,
                                                       &range.end, kRequestMs);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) return range;
    // A partition that was just made, or lost its broker, has a leader soon.
    const bool soon =
        code == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART || code == RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE ||
        code == RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION || code == RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION;
    if (!soon || std::chrono::steady_clock::now() > deadline)
      return kafka_error(code, fmt::format("asking for the end of {}[{}]", topic, partition));
    std::this_thread::sleep_for(milliseconds{50});
  }
}

Result<std::map<TopicPartition, ports::Bus::Range>> Admin::ranges(std::span<const std::string> topics) {
  SLIPWAY_ASSIGN(const auto counts, partitions(topics));
  std::map<TopicPartition, ports::Bus::Range> out;
  for (const auto& [topic, count] : counts) {
    for (int partition = 0; partition < count; ++partition) {
      SLIPWAY_ASSIGN(const auto one, range(topic, partition));
      out[{topic, partition}] = one;
    }
  }
  return out;
}

}  // namespace slipway::kafka
