#include "adapters/kafka/sample_producer.hpp"

#include <gtest/gtest.h>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include <array>
#include <chrono>
#include <map>
#include <optional>

namespace slipway::kafka {
namespace {

using std::chrono::seconds;

/// librdkafka's own broker inside the process.
class MockBroker {
 public:
  MockBroker() {
    std::array<char, 256> problem{};
    host_ = rd_kafka_new(RD_KAFKA_PRODUCER, rd_kafka_conf_new(), problem.data(), problem.size());
    cluster_ = rd_kafka_mock_cluster_new(host_, 1);
    rd_kafka_mock_topic_create(cluster_, "stats", 3, 1);
  }
  MockBroker(const MockBroker&) = delete;
  MockBroker& operator=(const MockBroker&) = delete;
  ~MockBroker() {
    rd_kafka_mock_cluster_destroy(cluster_);
    rd_kafka_destroy(host_);
  }
  std::string address() const { return rd_kafka_mock_cluster_bootstraps(cluster_); }
  void down() { rd_kafka_mock_broker_set_down(cluster_, 1); }
  void up() { rd_kafka_mock_broker_set_up(cluster_, 1); }
  template <class... Codes>
  void refuse_next(Codes... codes) {
    constexpr std::int16_t kProduceRequest = 0;
    rd_kafka_mock_push_request_errors(cluster_, kProduceRequest, sizeof...(codes), codes...);
  }

 private:
  rd_kafka_t* host_ = nullptr;
  rd_kafka_mock_cluster_t* cluster_ = nullptr;
};

struct Arrived {
  int partition = 0;
  std::string key, value;
  std::map<std::string, std::string> headers;
};

/// Everything in the topic, once `wanted` records have come or 10 s have passed.
std::vector<Arrived> read_topic(const std::string& brokers, std::size_t wanted) {
  auto* conf = rd_kafka_conf_new();
  std::array<char, 256> problem{};
  for (const auto& [name, value] : {std::pair{"bootstrap.servers", brokers.c_str()}, {"group.id", "test"}})
    rd_kafka_conf_set(conf, name, value, problem.data(), problem.size());
  auto* consumer = rd_kafka_new(RD_KAFKA_CONSUMER, conf, problem.data(), problem.size());
  auto* partitions = rd_kafka_topic_partition_list_new(3);
  for (int i = 0; i < 3; ++i) rd_kafka_topic_partition_list_add(partitions, "stats", i)->offset = 0;
  rd_kafka_assign(consumer, partitions);
  rd_kafka_topic_partition_list_destroy(partitions);
  std::vector<Arrived> all;
  const auto deadline = std::chrono::steady_clock::now() + seconds{10};
  while (all.size() < wanted && std::chrono::steady_clock::now() < deadline) {
    auto* message = rd_kafka_consumer_poll(consumer, 100);
    if (message == nullptr) continue;
    if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
      Arrived one{message->partition,
                  {static_cast<const char*>(message->key), message->key_len},
                  {static_cast<const char*>(message->payload), message->len},
                  {}};
      rd_kafka_headers_t* headers = nullptr;
      rd_kafka_message_headers(message, &headers);
      const char* name = nullptr;
      const void* value = nullptr;
      std::size_t size = 0;
      for (std::size_t i = 0;
           headers != nullptr && rd_kafka_header_get_all(headers, i, &name, &value, &size) == 0; ++i)
        one.headers[name] = {static_cast<const char*>(value), size};
      all.push_back(std::move(one));
    }
    rd_kafka_message_destroy(message);
  }
  rd_kafka_consumer_close(consumer);
  rd_kafka_destroy(consumer);
  return all;
}

std::unique_ptr<SampleProducer> make_producer(const std::string& brokers) {
  auto made = SampleProducer::create(
      {"stats", "edge-1", "b1c2", {{"bootstrap.servers", brokers}, {"reconnect.backoff.max.ms", "200"}}},
      Log::silent());
  return made ? *std::move(made) : nullptr;
}

/// Polls until `wanted` samples have ended or 20 s have passed.
std::map<std::int64_t, Status> reports_of(SampleProducer& producer, std::size_t wanted) {
  std::map<std::int64_t, Status> ended;
  const auto deadline = std::chrono::steady_clock::now() + seconds{20};
  while (ended.size() < wanted && std::chrono::steady_clock::now() < deadline)
    producer.poll(milliseconds{100},
                  [&](std::int64_t seq, const Status& result) { ended.emplace(seq, result); });
  return ended;
}

/// Until it is taken, or 20 s have passed.
void send_at_last(SampleProducer& producer, std::int64_t seq) {
  const auto deadline = std::chrono::steady_clock::now() + seconds{20};
  auto taken = producer.send(seq, from_ms(seq * 1000), std::to_string(seq));
  while (!taken && std::chrono::steady_clock::now() < deadline) {
    producer.poll(milliseconds{50}, [](std::int64_t, const Status&) {});
    taken = producer.send(seq, from_ms(seq * 1000), std::to_string(seq));
  }
  EXPECT_TRUE(taken);
}

TEST(SampleProducer, sends_in_order_with_key_and_headers) {
  MockBroker broker;
  auto producer = make_producer(broker.address());
  ASSERT_NE(producer, nullptr);
  for (int seq = 1; seq <= 20; ++seq)
    ASSERT_TRUE(producer->send(seq, from_ms(1'795'348'901'134 + seq), std::to_string(seq)));
  const auto ended = reports_of(*producer, 20);
  ASSERT_EQ(ended.size(), 20u);
  for (const auto& [seq, result] : ended) EXPECT_TRUE(result) << seq;
  const auto arrived = read_topic(broker.address(), 20);
  ASSERT_EQ(arrived.size(), 20u);
  for (std::size_t i = 0; i < arrived.size(); ++i) {
    EXPECT_EQ(arrived[i].value, std::to_string(i + 1));
    EXPECT_EQ(arrived[i].key, "edge-1");
    EXPECT_EQ(arrived[i].partition, arrived[0].partition);
  }
  const std::map<std::string, std::string> headers{{"ce_id", "b1c2-1"},
                                                   {"ce_source", "/machines/edge-1"},
                                                   {"ce_type", "slipway.machine.stats.v1"},
                                                   {"ce_specversion", "1.0"},
                                                   {"ce_time", "2026-11-22T12:01:41.135Z"},
                                                   {"ce_subject", "edge-1"},
                                                   {"content-type", "application/json"}};
  EXPECT_EQ(arrived[0].headers, headers);
}

TEST(SampleProducer, waits_through_an_outage) {
  MockBroker broker;
  auto producer = make_producer(broker.address());
  ASSERT_NE(producer, nullptr);
  ASSERT_TRUE(producer->send(1, from_ms(1000), "1"));
  ASSERT_EQ(reports_of(*producer, 1).size(), 1u);
  broker.down();
  for (int seq = 2; seq <= 5; ++seq)
    ASSERT_TRUE(producer->send(seq, from_ms(seq * 1000), std::to_string(seq)));
  const auto deadline = std::chrono::steady_clock::now() + seconds{10};
  while (producer->health() && std::chrono::steady_clock::now() < deadline)
    producer->poll(milliseconds{100}, [](std::int64_t seq, const Status&) { FAIL() << seq; });
  EXPECT_FALSE(producer->health());
  broker.up();
  const auto ended = reports_of(*producer, 4);
  ASSERT_EQ(ended.size(), 4u);
  for (const auto& [seq, result] : ended) EXPECT_TRUE(result) << seq;
  EXPECT_TRUE(producer->health());
  const auto arrived = read_topic(broker.address(), 5);
  ASSERT_EQ(arrived.size(), 5u);
  for (std::size_t i = 0; i < 5; ++i) EXPECT_EQ(arrived[i].value, std::to_string(i + 1));
}

TEST(SampleProducer, tells_what_will_never_be_taken_from_what_may_be_tried_again) {
  MockBroker broker;
  auto producer = make_producer(broker.address());
  ASSERT_NE(producer, nullptr);
  broker.refuse_next(RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED);
  ASSERT_TRUE(producer->send(1, from_ms(1000), "1"));
  auto ended = reports_of(*producer, 1);
  ASSERT_EQ(ended.size(), 1u);
  ASSERT_FALSE(ended.at(1));
  EXPECT_EQ(ended.at(1).error().kind, ErrorKind::kDenied);
  const auto too_large = producer->send(2, from_ms(2000), std::string(2'000'000, 'x'));
  ASSERT_FALSE(too_large);
  EXPECT_EQ(too_large.error().kind, ErrorKind::kInvalid);
  send_at_last(*producer, 3);  // the topic is refused until its metadata are read again
  ended = reports_of(*producer, 1);
  ASSERT_EQ(ended.size(), 1u);
  EXPECT_TRUE(ended.at(3)) << to_string(ended.at(3).error());
}

TEST(SampleProducer, starts_again_after_a_fatal_error) {
  MockBroker broker;
  auto producer = make_producer(broker.address());
  ASSERT_NE(producer, nullptr);
  ASSERT_TRUE(producer->send(1, from_ms(1000), "1"));
  ASSERT_EQ(reports_of(*producer, 1).size(), 1u);
  broker.refuse_next(RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER);
  ASSERT_TRUE(producer->send(2, from_ms(2000), "2"));
  const auto first = reports_of(*producer, 1);
  ASSERT_EQ(first.size(), 1u);
  if (!first.at(2)) send_at_last(*producer, 2);  // ended by the fatal error: the sender goes back to it
  ASSERT_TRUE(producer->send(3, from_ms(3000), "3"));
  const auto ended = reports_of(*producer, first.at(2) ? 1 : 2);
  ASSERT_TRUE(ended.contains(3));
  EXPECT_TRUE(ended.at(3)) << to_string(ended.at(3).error());
}

TEST(SampleProducer, refuses_options_that_do_not_exist_without_repeating_their_value) {
  const auto made = SampleProducer::create(
      {"stats", "edge-1", "b1c2", {{"bootstrap.servers", "localhost:1"}, {"sasl.pasword", "hunter2"}}},
      Log::silent());
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().kind, ErrorKind::kInvalid);
  EXPECT_NE(made.error().message.find("sasl.pasword"), std::string::npos);
  EXPECT_EQ(made.error().message.find("hunter2"), std::string::npos);
  EXPECT_FALSE(SampleProducer::create({"stats", "edge-1", "b1c2", {}}, Log::silent()));
}

}  // namespace
}  // namespace slipway::kafka
