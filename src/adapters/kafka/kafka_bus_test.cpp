#include "adapters/kafka/kafka_bus.hpp"

#include <gtest/gtest.h>
// Needs the other first:
#include <librdkafka/rdkafka.h>

#include <librdkafka/rdkafka_mock.h>

#include <algorithm>
#include <atomic>
#include <random>
#include <thread>

#include "adapters/kafka/client.hpp"

// Against librdkafka's own mock cluster: what is hard to make a real broker do.
namespace slipway::kafka {
namespace {

using Mock = std::unique_ptr<rd_kafka_mock_cluster_t, Free<rd_kafka_mock_cluster_destroy>>;
constexpr int16_t kProduceRequest = 0, kCommitRequest = 8,
                  kHeartbeatRequest = 12;  // Kafka's protocol, ApiKey

class MockedBus : public testing::Test {
 protected:
  void SetUp() override {
    owner_ = make_client(RD_KAFKA_PRODUCER, Conf(rd_kafka_conf_new())).value();
    mock_.reset(rd_kafka_mock_cluster_new(owner_.get(), 1));
    ASSERT_NE(mock_, nullptr);
    ASSERT_EQ(rd_kafka_mock_topic_create(mock_.get(), "t", 1, 1), RD_KAFKA_RESP_ERR_NO_ERROR);
    bus_ = open_bus({rd_kafka_mock_cluster_bootstraps(mock_.get()), {}}, clock_, Log::silent()).value();
  }
  Status publish(const std::string& value) {
    return bus_->publish({.topic = "t", .key = "k", .value = value, .event_id = value});
  }
  std::vector<std::string> all(std::size_t count) {
    auto reader = bus_->read_all({"t"}, ports::From::kBeginning).value();
    std::vector<std::string> out;
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (out.size() < count && std::chrono::steady_clock::now() < deadline)
      if (auto records = reader->poll(100, milliseconds{100}))
        for (const auto& record : *records) out.push_back(record.value.value_or(""));
    return out;
  }

  SystemClock clock_;
  Client owner_;
  Mock mock_;
  std::unique_ptr<ports::Bus> bus_;
};

TEST_F(MockedBus, goes_on_with_a_new_producer_after_a_fatal_error) {
  ASSERT_TRUE(publish("1"));
  rd_kafka_mock_push_request_errors(mock_.get(), kProduceRequest, 1,
                                    RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER);
  const auto failed = publish("2");
  ASSERT_FALSE(failed);
  EXPECT_TRUE(failed.error().retryable()) << to_string(failed.error());
  const auto again = publish("2");
  ASSERT_TRUE(again) << to_string(again.error());
  EXPECT_EQ(all(2), (std::vector<std::string>{"1", "2"}));
}

TEST_F(MockedBus, tries_again_by_itself_what_may_pass) {
  rd_kafka_mock_push_request_errors(mock_.get(), kProduceRequest, 2, RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS,
                                    RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT);
  ASSERT_TRUE(publish("1"));
  EXPECT_EQ(all(1), (std::vector<std::string>{"1"}));
}

// A partition that has just been made may refuse a first request while it takes the next one:
// docs/decisions/0005.
TEST_F(MockedBus, sends_nothing_past_a_request_that_may_be_refused) {
  bus_ = open_bus({rd_kafka_mock_cluster_bootstraps(mock_.get()), {{"batch.num.messages", "1"}}}, clock_,
                  Log::silent())
             .value();  // a request for each message
  ASSERT_TRUE(publish("1"));
  rd_kafka_mock_broker_set_rtt(mock_.get(), -1, 300);
  rd_kafka_mock_push_request_errors(mock_.get(), kProduceRequest, 1,
                                    RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION);
  for (const char* value : {"2", "3"})
    ASSERT_TRUE(bus_->publish_later({.topic = "t", .key = "k", .value = value},
                                    [](const Status& sent) { EXPECT_TRUE(sent); }));
  EXPECT_EQ(all(3), (std::vector<std::string>{"1", "2", "3"}));
}

TEST_F(MockedBus, says_that_no_broker_answers) {
  ASSERT_TRUE(bus_->ping(std::chrono::seconds(5)));
  rd_kafka_mock_broker_set_down(mock_.get(), 1);
  const auto status = bus_->ping(milliseconds{500});
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().kind, ErrorKind::kUnavailable);
  rd_kafka_mock_broker_set_up(mock_.get(), 1);
}

TEST_F(MockedBus, gives_up_waiting_soon_when_it_is_to_end) {
  std::stop_source ending;
  bus_ =
      open_bus({rd_kafka_mock_cluster_bootstraps(mock_.get()), {}}, clock_, Log::silent(), ending.get_token())
          .value();
  ASSERT_TRUE(publish("1"));
  rd_kafka_mock_broker_set_down(mock_.get(), 1);
  const auto began = clock_.mono();
  const std::jthread other([&] { ending.request_stop(); });
  const auto status = publish("2");
  EXPECT_LT(clock_.mono() - began, std::chrono::seconds(8));
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().kind, ErrorKind::kUnknown) << "it may have been written";
  rd_kafka_mock_broker_set_up(mock_.get(), 1);
}

TEST_F(MockedBus, delivers_what_was_published_while_the_broker_was_away) {
  ASSERT_TRUE(publish("1"));
  rd_kafka_mock_broker_set_down(mock_.get(), 1);
  std::atomic<int> delivered = 0;
  for (const char* value : {"2", "3"})
    ASSERT_TRUE(bus_->publish_later({.topic = "t", .key = "k", .value = value},
                                    [&](const Status& status) { delivered += status ? 1 : 0; }));
  rd_kafka_mock_broker_set_up(mock_.get(), 1);
  EXPECT_EQ(all(3), (std::vector<std::string>{"1", "2", "3"}));
  bus_.reset();
  EXPECT_EQ(delivered, 2);
}

// FAULTS F14: what a broker says while its coordinator moves or its followers are behind.
TEST_F(MockedBus, F14_a_hundred_random_troubles_lose_nothing_and_double_nothing) {
  struct Trouble {
    int16_t request;
    std::vector<rd_kafka_resp_err_t> errors;
  };
  const std::vector<Trouble> troubles{
      {kProduceRequest,
       {RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS, RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION,
        RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT}},
      {kCommitRequest, {RD_KAFKA_RESP_ERR_NOT_COORDINATOR, RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS}},
      {kHeartbeatRequest,
       {RD_KAFKA_RESP_ERR_NOT_COORDINATOR, RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS}},
  };
  // The group is joined again: the mock takes 3 s for that.
  const Trouble expelled{kCommitRequest,
                         {RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS, RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION}};
  const auto seed = std::random_device{}();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  std::mt19937 random(seed);
  const auto pick = [&](const auto& from) { return from[random() % from.size()]; };
  auto member = bus_->join_group("g", {"t"}).value();
  constexpr int kRounds = 34;  // of three each
  std::vector<std::string> published, heard;
  for (int round = 0; round < kRounds; ++round) {
    for (const auto& usual : troubles) {
      const auto& trouble = usual.request == kCommitRequest && round == kRounds / 2 ? expelled : usual;
      std::vector<rd_kafka_resp_err_t> errors(1 + random() % 3);
      for (auto& error : errors) error = pick(trouble.errors);
      rd_kafka_mock_push_request_errors_array(mock_.get(), trouble.request, errors.size(), errors.data());
    }
    published.push_back(std::to_string(round));
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    for (auto sent = publish(published.back()); !sent; sent = publish(published.back())) {
      ASSERT_TRUE(sent.error().retryable()) << to_string(sent.error());
      ASSERT_LT(std::chrono::steady_clock::now(), until);
    }
    while (heard.empty() || heard.back() != published.back()) {
      ASSERT_LT(std::chrono::steady_clock::now(), until) << "round " << round << " is not heard";
      const auto records = member->poll(100, milliseconds{100});
      if (!records) continue;
      for (const auto& record : *records) {
        // Read again after a rebalance: the journal above knows it by its id.
        if (std::ranges::find(heard, *record.value) == heard.end()) heard.push_back(*record.value);
        (void)member->store_offset({"t", 0}, record.offset + 1);  // not ours any more: read again
      }
    }
    (void)member->commit();  // meets the trouble
  }
  EXPECT_EQ(heard, published);
  EXPECT_EQ(all(kRounds + 1).size(), std::size_t{kRounds}) << "each was written once";
  for (const int16_t request : {kCommitRequest, kHeartbeatRequest})
    rd_kafka_mock_clear_request_errors(mock_.get(), request);
  // Whoever was expelled by the last trouble joins again first and reads again what it had not committed.
  ASSERT_TRUE(publish("last"));
  const auto soon = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  for (bool stored = false; !stored || !member->commit();) {
    ASSERT_LT(std::chrono::steady_clock::now(), soon);
    const auto records = member->poll(100, milliseconds{100});
    if (!records || records->empty() || records->back().value != "last") continue;
    stored = member->store_offset({"t", 0}, records->back().offset + 1).has_value();
  }
  member.reset();
  const auto next = bus_->join_group("g", {"t"}).value();
  ASSERT_TRUE(publish("after"));
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  for (auto records = next->poll(100, milliseconds{100});; records = next->poll(100, milliseconds{100})) {
    ASSERT_LT(std::chrono::steady_clock::now(), until);
    if (!records || records->empty()) continue;
    EXPECT_EQ(records->front().value, "after") << "all before it was committed";
    break;
  }
}

TEST(KafkaBus, refuses_settings_that_librdkafka_does_not_know) {
  SystemClock clock;
  const auto wrong = open_bus({"127.0.0.1:1", {{"no.such.thing", "1"}}}, clock, Log::silent());
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().code, "kafka.setting");
  EXPECT_NE(wrong.error().message.find("no.such.thing"), std::string::npos);
  EXPECT_EQ(open_bus({"", {}}, clock, Log::silent()).error().code, "kafka.setting");
}

TEST(KafkaBus, bounds_its_queue_and_reports_every_message_when_it_ends) {
  SystemClock clock;
  auto bus = open_bus({"127.0.0.1:1", {{"queue.buffering.max.messages", "5"}}}, clock, Log::silent()).value();
  std::atomic<int> reported = 0;
  int queued = 0;
  Status last;
  for (int i = 0; i < 10; ++i) {
    last = bus->publish_later({.topic = "t", .key = "k", .value = "v"}, [&](const Status& status) {
      EXPECT_EQ(status.error().kind, ErrorKind::kUnknown);
      ++reported;
    });
    queued += last ? 1 : 0;
  }
  EXPECT_EQ(queued, 5);
  EXPECT_EQ(last.error().code, "kafka.queue_full");
  bus.reset();
  EXPECT_EQ(reported, 5);
}

}  // namespace
}  // namespace slipway::kafka
