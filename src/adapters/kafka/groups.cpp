#include <fmt/format.h>

#include <algorithm>

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

Result<Event> describe(rd_kafka_t* client, const std::string& group) {
  const char* name = group.c_str();
  return ask(client, RD_KAFKA_ADMIN_OP_DESCRIBECONSUMERGROUPS, "asking for group " + group,
             [&](const auto* options, auto* queue) {
               rd_kafka_DescribeConsumerGroups(client, &name, 1, options, queue);
             });
}

/// The group's description inside `event`, or nullptr if there is no such group.
Result<const rd_kafka_ConsumerGroupDescription_t*> description(const Event& event, const std::string& group) {
  std::size_t count = 0;
  const auto* groups = rd_kafka_DescribeConsumerGroups_result_groups(
      rd_kafka_event_DescribeConsumerGroups_result(event.get()), &count);
  if (count == 0) return nullptr;
  const rd_kafka_error_t* error = rd_kafka_ConsumerGroupDescription_error(groups[0]);
  if (error == nullptr) return groups[0];
  if (rd_kafka_error_code(error) == RD_KAFKA_RESP_ERR_GROUP_ID_NOT_FOUND) return nullptr;
  return kafka_error(rd_kafka_error_code(error), "asking for group " + group, rd_kafka_error_string(error));
}

}  // namespace

Result<int> Admin::group_members(const std::string& group) {
  SLIPWAY_ASSIGN(const Event event, describe(client_.get(), group));
  SLIPWAY_ASSIGN(const auto* found, description(event, group));
  return found == nullptr ? 0 : static_cast<int>(rd_kafka_ConsumerGroupDescription_member_count(found));
}

Result<std::map<std::string, bool>> Admin::group_reads(const std::string& group,
                                                       std::span<const std::string> topics) {
  std::map<std::string, bool> out;
  for (const auto& topic : topics) out[topic] = false;
  SLIPWAY_ASSIGN(const Event event, describe(client_.get(), group));
  SLIPWAY_ASSIGN(const auto* found, description(event, group));
  if (found == nullptr) return out;
  for (std::size_t i = 0; i < rd_kafka_ConsumerGroupDescription_member_count(found); ++i) {
    const auto* member = rd_kafka_ConsumerGroupDescription_member(found, i);
    const auto* assignment = rd_kafka_MemberDescription_assignment(member);
    const auto* list = assignment == nullptr ? nullptr : rd_kafka_MemberAssignment_partitions(assignment);
    for (int j = 0; list != nullptr && j < list->cnt; ++j)
      if (const auto topic = out.find(list->elems[j].topic); topic != out.end()) topic->second = true;
  }
  return out;
}

Result<std::map<TopicPartition, std::int64_t>> Admin::committed(const std::string& group,
                                                                std::span<const std::string> topics) {
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
