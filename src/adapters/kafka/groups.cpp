#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "adapters/kafka/admin.hpp"
#include "adapters/kafka/ask.hpp"

// The consumer groups' part of Admin.
namespace slipway::kafka {
namespace {

using ports::TopicPartition;

using ListOffsets =
    std::unique_ptr<rd_kafka_ListConsumerGroupOffsets_t, Free<rd_kafka_ListConsumerGroupOffsets_destroy>>;
using AlterOffsets =
    std::unique_ptr<rd_kafka_AlterConsumerGroupOffsets_t, Free<rd_kafka_AlterConsumerGroupOffsets_destroy>>;

using GroupList = std::unique_ptr<const rd_kafka_group_list, Free<rd_kafka_group_list_destroy>>;

constexpr int kDescribeMs = 5'000;
constexpr milliseconds kThere{2'000};

/// By the old call: librdkafka 2.0's admin request aborts the whole process (rdkafka_queue.h, "eonce->refcnt
/// > 0", issue 4605 of librdkafka) when its answer comes after its time-out, and this is asked every few
/// seconds. At most one group, none if there is no such group.
Result<GroupList> describe(rd_kafka_t* client, const std::string& group) {
  const rd_kafka_group_list* raw = nullptr;
  const auto code = rd_kafka_list_groups(client, group.c_str(), &raw, kDescribeMs);
  GroupList list(raw);
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR) return kafka_error(code, "asking for group " + group);
  for (int i = 0; i < list->group_cnt; ++i)
    if (list->groups[i].err != RD_KAFKA_RESP_ERR_NO_ERROR)
      return kafka_error(list->groups[i].err, "asking for group " + group);
  return list;
}

/// Big-endian numbers and texts of Kafka's protocol; reads nothing past the end.
class Wire {
 public:
  Wire(const void* bytes, int size)
      : rest_(static_cast<const char*>(bytes),
              bytes == nullptr || size < 0 ? 0 : static_cast<std::size_t>(size)) {}
  std::int64_t number(std::size_t bytes) {
    if (rest_.size() < bytes) {
      rest_ = {};
      return 0;
    }
    std::uint64_t value = 0;
    for (const char c : rest_.substr(0, bytes)) value = value << 8 | static_cast<unsigned char>(c);
    rest_.remove_prefix(bytes);
    return static_cast<std::int64_t>(value);
  }
  std::string_view take(std::int64_t bytes) {
    const auto count = std::min(rest_.size(), static_cast<std::size_t>(std::max<std::int64_t>(bytes, 0)));
    const std::string_view taken = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return taken;
  }
  bool empty() const { return rest_.empty(); }

 private:
  std::string_view rest_;
};

/// Topics of a member's assignment ("consumer" protocol: version, [topic, [partition]], user data).
std::vector<std::string> assigned_topics(const rd_kafka_group_member_info& member) {
  Wire wire(member.member_assignment, member.member_assignment_size);
  wire.number(2);
  std::vector<std::string> topics;
  for (std::int64_t left = wire.number(4); left > 0 && !wire.empty(); --left) {
    std::string topic(wire.take(wire.number(2)));
    const std::int64_t partitions = wire.number(4);
    wire.take(partitions * 4);
    if (partitions > 0) topics.push_back(std::move(topic));
  }
  return topics;
}

}  // namespace

Result<int> Admin::group_members(const std::string& group) {
  SLIPWAY_ASSIGN(const GroupList list, describe(client_.get(), group));
  return list->group_cnt == 0 ? 0 : list->groups[0].member_cnt;
}

Result<std::map<std::string, bool>> Admin::group_reads(const std::string& group,
                                                       std::span<const std::string> topics) {
  std::map<std::string, bool> out;
  for (const auto& topic : topics) out[topic] = false;
  SLIPWAY_ASSIGN(const GroupList list, describe(client_.get(), group));
  for (int i = 0; list->group_cnt > 0 && i < list->groups[0].member_cnt; ++i)
    for (const std::string& read : assigned_topics(list->groups[0].members[i]))
      if (const auto topic = out.find(read); topic != out.end()) topic->second = true;
  return out;
}

Result<std::map<TopicPartition, std::int64_t>> Admin::committed(const std::string& group,
                                                                std::span<const std::string> topics) {
  SLIPWAY_TRY(ping(kThere));  // a request that times out may abort the process, see describe()
  const ListOffsets wanted(rd_kafka_ListConsumerGroupOffsets_new(group.c_str(), nullptr));
  auto* raw = wanted.get();
  SLIPWAY_ASSIGN(const Event event,
                 ask(client_.get(), RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPOFFSETS,
                     "asking for the offsets of group " + group, [&](const auto* options, auto* queue) {
                       rd_kafka_ListConsumerGroupOffsets(client_.get(), &raw, 1, options, queue);
                     }));
  std::map<TopicPartition, std::int64_t> out;
  std::size_t count = 0;
  const auto* groups = rd_kafka_ListConsumerGroupOffsets_result_groups(
      rd_kafka_event_ListConsumerGroupOffsets_result(event.get()), &count);
  for (std::size_t i = 0; i < count; ++i) {
    if (const auto* error = rd_kafka_group_result_error(groups[i])) {
      if (rd_kafka_error_code(error) == RD_KAFKA_RESP_ERR_GROUP_ID_NOT_FOUND) continue;
      return kafka_error(rd_kafka_error_code(error), "asking for the offsets of group " + group,
                         rd_kafka_error_string(error));
    }
    const auto* list = rd_kafka_group_result_partitions(groups[i]);
    for (int j = 0; list != nullptr && j < list->cnt; ++j) {
      const auto& one = list->elems[j];
      if (one.offset >= 0 && std::find(topics.begin(), topics.end(), one.topic) != topics.end())
        out[{one.topic, one.partition}] = one.offset;
    }
  }
  return out;
}

Status Admin::commit_for(const std::string& group, const std::map<TopicPartition, std::int64_t>& offsets) {
  if (offsets.empty()) return {};
  SLIPWAY_TRY(ping(kThere));  // as above
  const PartitionList list = make_partition_list();
  for (const auto& [at, offset] : offsets)
    rd_kafka_topic_partition_list_add(list.get(), at.topic.c_str(), at.partition)->offset = offset;
  const AlterOffsets wanted(rd_kafka_AlterConsumerGroupOffsets_new(group.c_str(), list.get()));
  auto* raw = wanted.get();
  const std::string doing = "committing offsets for group " + group;
  SLIPWAY_ASSIGN(const Event event, ask(client_.get(), RD_KAFKA_ADMIN_OP_ALTERCONSUMERGROUPOFFSETS, doing,
                                        [&](const auto* options, auto* queue) {
                                          rd_kafka_AlterConsumerGroupOffsets(client_.get(), &raw, 1, options,
                                                                             queue);
                                        }));
  std::size_t count = 0;
  const auto* groups = rd_kafka_AlterConsumerGroupOffsets_result_groups(
      rd_kafka_event_AlterConsumerGroupOffsets_result(event.get()), &count);
  for (std::size_t i = 0; i < count; ++i) {
    if (const auto* error = rd_kafka_group_result_error(groups[i]))
      return kafka_error(rd_kafka_error_code(error), doing, rd_kafka_error_string(error));
    const auto* done = rd_kafka_group_result_partitions(groups[i]);
    for (int j = 0; done != nullptr && j < done->cnt; ++j)
      if (done->elems[j].err != RD_KAFKA_RESP_ERR_NO_ERROR) return kafka_error(done->elems[j].err, doing);
  }
  return {};
}

}  // namespace slipway::kafka
