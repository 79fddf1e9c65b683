#include "adapters/kafka/consumer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "adapters/kafka/kafka_error.hpp"

namespace slipway::kafka {
namespace {

using ports::Record;
using ports::TopicPartition;

Record to_record(const rd_kafka_message_t& message) {
  Record record;
  record.topic = rd_kafka_topic_name(message.rkt);
  record.partition = message.partition;
  record.offset = message.offset;
  record.timestamp = from_ms(std::max<std::int64_t>(0, rd_kafka_message_timestamp(&message, nullptr)));
  if (message.key != nullptr) record.key.emplace(static_cast<const char*>(message.key), message.key_len);
  if (message.payload != nullptr)
    record.value.emplace(static_cast<const char*>(message.payload), message.len);
  rd_kafka_headers_t* headers = nullptr;
  if (rd_kafka_message_headers(&message, &headers) == RD_KAFKA_RESP_ERR_NO_ERROR) {
    constexpr std::size_t kMostHeaders = 100;
    const char* name = nullptr;
    const void* value = nullptr;
    std::size_t size = 0;
    for (std::size_t i = 0; i < kMostHeaders && rd_kafka_header_get_all(headers, i, &name, &value, &size) ==
                                                    RD_KAFKA_RESP_ERR_NO_ERROR;
         ++i)
      record.headers.push_back(
          {name, value == nullptr ? "" : std::string(static_cast<const char*>(value), size)});
  }
  return record;
}

// Which record is in the way, where one is: a batch that cannot be unpacked keeps its partition until it has
// expired or was deleted.
std::string place_of(const rd_kafka_message_t& message) {
  if (message.rkt == nullptr || message.partition < 0) return "reading";
  return fmt::format("reading {}[{}]@{}", rd_kafka_topic_name(message.rkt), message.partition,
                     message.offset);
}

std::vector<TopicPartition> to_partitions(const rd_kafka_topic_partition_list_t& list) {
  std::vector<TopicPartition> out;
  for (int i = 0; i < list.cnt; ++i) out.push_back({list.elems[i].topic, list.elems[i].partition});
  return out;
}

class KafkaConsumer final : public ports::Consumer {
 public:
  KafkaConsumer(bool in_group, ports::RebalanceListener* listener)
      : in_group_(in_group), listener_(listener) {}
  KafkaConsumer(const KafkaConsumer&) = delete;  // librdkafka has its address
  KafkaConsumer& operator=(const KafkaConsumer&) = delete;
  ~KafkaConsumer() override {
    if (client_) rd_kafka_consumer_close(client_.get());  // revokes, commits what is stored, leaves the group
  }

  Status open(Conf conf) {
    rd_kafka_conf_set_opaque(conf.get(), this);
    if (in_group_) rd_kafka_conf_set_rebalance_cb(conf.get(), on_rebalance);
    SLIPWAY_ASSIGN(client_, make_client(RD_KAFKA_CONSUMER, std::move(conf)));
    rd_kafka_poll_set_consumer(client_.get());
    return {};
  }

  Status subscribe(const std::vector<std::string>& topics) {
    const PartitionList list = make_partition_list();
    for (const auto& topic : topics)
      rd_kafka_topic_partition_list_add(list.get(), topic.c_str(), RD_KAFKA_PARTITION_UA);
    if (const auto code = rd_kafka_subscribe(client_.get(), list.get()))
      return kafka_error(code, "subscribing");
    return {};
  }

  Status assign(const std::map<TopicPartition, std::int64_t>& positions) {
    const PartitionList list = make_partition_list();
    for (const auto& [at, offset] : positions)
      rd_kafka_topic_partition_list_add(list.get(), at.topic.c_str(), at.partition)->offset = offset;
    if (const auto code = rd_kafka_assign(client_.get(), list.get())) return kafka_error(code, "assigning");
    return {};
  }

  Result<std::vector<Record>> poll(std::size_t most, milliseconds timeout) override {
    std::vector<Record>& records = polled_;
    records.clear();
    int wait_ms = static_cast<int>(std::min<std::int64_t>(timeout.count(), 60'000));
    while (records.size() < most) {
      const Message message(rd_kafka_consumer_poll(client_.get(), wait_ms));
      if (!message) break;
      if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
        records.push_back(to_record(*message));
        wait_ms = 0;
      } else if (message->err != RD_KAFKA_RESP_ERR__PARTITION_EOF) {
        if (!records.empty()) break;  // trouble that lasts is reported again
        Error error = kafka_error(message->err, place_of(*message), rd_kafka_message_errstr(message.get()));
        error.kind = ErrorKind::kUnavailable;
        return error;
      }
    }
    return std::exchange(polled_, {});
  }

  Status store_offset(const TopicPartition& at, std::int64_t next_offset) override {
    if (!in_group_) return internal_error("kafka.no_group", "offsets are stored by groups only");
    const PartitionList list = make_partition_list();
    auto* element = rd_kafka_topic_partition_list_add(list.get(), at.topic.c_str(), at.partition);
    element->offset = next_offset;
    const auto code = rd_kafka_offsets_store(client_.get(), list.get());
    const auto own = element->err != RD_KAFKA_RESP_ERR_NO_ERROR ? element->err : code;
    if (own == RD_KAFKA_RESP_ERR_NO_ERROR) return {};
    // Unknown to this client means the same as taken away from it.
    return kafka_error(own == RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION ? RD_KAFKA_RESP_ERR__STATE : own,
                       "storing an offset of " + at.topic);
  }

  Status commit() override {
    if (!in_group_) return {};
    const auto code = rd_kafka_commit(client_.get(), nullptr, /*async=*/0);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR || code == RD_KAFKA_RESP_ERR__NO_OFFSET) return {};
    return kafka_error(code, "committing offsets");
  }

 private:
  // Called from inside poll() and from consumer_close().
  static void on_rebalance(rd_kafka_t* client, rd_kafka_resp_err_t what,
                           rd_kafka_topic_partition_list_t* list, void* opaque) noexcept {
    auto& self = *static_cast<KafkaConsumer*>(opaque);
    const auto partitions = to_partitions(*list);
    KafkaError error;
    if (what == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
      error.reset(rd_kafka_incremental_assign(client, list));
      if (self.listener_ != nullptr) self.listener_->assigned(partitions);
    } else {
      // Records of this very poll: read again by whoever has the partition next, which may be this member.
      std::erase_if(self.polled_, [&](const Record& record) {
        return std::ranges::find(partitions, TopicPartition{record.topic, record.partition}) !=
               partitions.end();
      });
      if (self.listener_ != nullptr) self.listener_->revoked(partitions);
      if (rd_kafka_assignment_lost(client) == 0) rd_kafka_commit(client, nullptr, /*async=*/0);
      error.reset(rd_kafka_incremental_unassign(client, list));
    }
    // Nothing can be done about an error here; the client finds its way by the next rebalance.
  }

  const bool in_group_;
  ports::RebalanceListener* const listener_;
  std::vector<Record> polled_;  // so far, by the poll that runs
  Client client_;
};

const Properties kDefaults{
    {"session.timeout.ms", "6000"},  // a killed process's partitions are free after this
    {"heartbeat.interval.ms", "500"},
    {"max.poll.interval.ms", "600000"},
    {"auto.commit.interval.ms", "500"},
    {"fetch.wait.max.ms", "500"},  // without anything to fetch: each costs the broker as much as a message
    {"fetch.error.backoff.ms", "100"},
    {"queued.min.messages", "1000"},
    {"queued.max.messages.kbytes", "16384"},
    {"socket.keepalive.enable", "true"},
    {"reconnect.backoff.max.ms", "2000"},
    {"topic.metadata.refresh.interval.ms", "10000"},
    // An answer of the broker, and what a compressed batch becomes, are at most so large.
    {"fetch.max.bytes", "4194304"},
    {"receive.message.max.bytes", "8388608"},
};
const Properties kNeeded{
    {"enable.auto.offset.store", "false"},
    {"auto.offset.reset", "earliest"},
    {"isolation.level", "read_committed"},
    {"allow.auto.create.topics", "false"},
    {"partition.assignment.strategy", "cooperative-sticky"},
};

}  // namespace

Result<std::unique_ptr<ports::Consumer>> make_group_consumer(const KafkaSettings& settings,
                                                             const std::string& group,
                                                             const std::vector<std::string>& topics,
                                                             ports::RebalanceListener* listener) {
  Properties needed = kNeeded;
  needed["group.id"] = group;
  needed["enable.auto.commit"] = "true";
  SLIPWAY_ASSIGN(Conf conf, make_conf(settings, kDefaults, needed));
  auto consumer = std::make_unique<KafkaConsumer>(true, listener);
  SLIPWAY_TRY(consumer->open(std::move(conf)));
  SLIPWAY_TRY(consumer->subscribe(topics));
  return consumer;
}

Result<std::unique_ptr<ports::Consumer>> make_assigned_consumer(
    const KafkaSettings& settings, const std::map<TopicPartition, std::int64_t>& positions) {
  Properties needed = kNeeded;
  needed["group.id"] = "slipway.reader";  // librdkafka wants one; nothing is ever committed under it
  needed["enable.auto.commit"] = "false";
  SLIPWAY_ASSIGN(Conf conf, make_conf(settings, kDefaults, needed));
  auto consumer = std::make_unique<KafkaConsumer>(false, nullptr);
  SLIPWAY_TRY(consumer->open(std::move(conf)));
  SLIPWAY_TRY(consumer->assign(positions));
  return consumer;
}

}  // namespace slipway::kafka
