#include "systems/sensor_manager/sensor_manager.hpp"

#include <gtest/gtest.h>

#include "messages/sensor.hpp"
#include "tests/fakes/fake_bus.hpp"
#include "tests/fakes/fake_repository.hpp"

namespace slipway::sensor_manager {
namespace {

class SensorManagerTest : public testing::Test {
 protected:
  SensorManagerTest() {
    EXPECT_TRUE(bus_.ensure_topics(topics_.all()));
    manager_ = start();
  }
  std::unique_ptr<SensorManager> start() {
    return std::make_unique<SensorManager>(bus_, repository_, clock_, Log::silent(), topics_);
  }
  /// Sends plain JSON as a script would and waits for the reply number `count`.
  messages::SensorReply ask(const std::string& json, std::size_t count) {
    bus_.put_plain(topics_.sensor_requests, json);
    return reply(count);
  }
  messages::SensorReply reply(std::size_t count) {
    const auto records = bus_.wait_for_count(topics_.sensor_replies, count);
    if (records.size() < count) {
      ADD_FAILURE() << "only " << records.size() << " replies";
      return {};
    }
    return messages::parse_sensor_reply(*records[count - 1].value).value();
  }

  const messages::Topics topics_{"test."};
  SystemClock clock_;
  fakes::FakeBus bus_;
  fakes::FakeRepository repository_;
  std::unique_ptr<SensorManager> manager_;
};

constexpr const char* kAdd =
    R"({"request_id": "r-1", "action": "add", "sensor_id": "b-7", "type": "bme280"})";
constexpr const char* kBind =
    R"({"request_id": "r-2", "action": "bind", "service_id": "hello", "correlation_id": "r-2:1",
        "sensors": [{"name": "air", "type": "bme280"}]})";

TEST_F(SensorManagerTest, registers_a_sensor_and_makes_its_topic) {
  const auto added = ask(kAdd, 1);
  EXPECT_FALSE(added.error);
  EXPECT_EQ(added.request_id, "r-1");
  EXPECT_EQ(added.sensor_id, "b-7");
  EXPECT_TRUE(repository_.sensors().find("b-7").value());
  const std::string topic[] = {"sensor.bme280.b-7"};
  EXPECT_EQ(bus_.ranges(topic).value().size(), 1U);
}

TEST_F(SensorManagerTest, binds_to_the_topic_and_says_when_it_was_last_read) {
  ask(kAdd, 1);
  ASSERT_TRUE(bus_.publish({.topic = "sensor.bme280.b-7", .key = "b-7", .value = "{}"}));
  const auto bound = ask(kBind, 2);
  ASSERT_TRUE(bound.topics.contains("air"));
  EXPECT_EQ(bound.topics.at("air").topic, "sensor.bme280.b-7");
  EXPECT_TRUE(bound.topics.at("air").last_reading_at);
  EXPECT_EQ(bound.correlation_id, "r-2:1");
  EXPECT_EQ(bound.binding, 1);
  EXPECT_EQ(repository_.bindings().find("hello").value().value().number, 1);
}

TEST_F(SensorManagerTest, answers_the_same_request_the_same_way_again) {
  ask(kBind, 1);
  const auto again = ask(kBind, 2);
  EXPECT_EQ(messages::to_json(again), messages::to_json(reply(1)));
  EXPECT_EQ(again.error->code, "sensor.no_match");
}

TEST_F(SensorManagerTest, buries_a_request_id_that_comes_with_another_content) {
  ask(kAdd, 1);
  bus_.put_plain(topics_.sensor_requests,
                 R"({"request_id": "r-1", "action": "add", "sensor_id": "b-8", "type": "bme280"})");
  const auto letters = bus_.wait_for_count(topics_.deadletter, 1);
  ASSERT_EQ(letters.size(), 1U);
  EXPECT_EQ(find_header(letters[0], "slipway_reason"), "request.conflict");
  EXPECT_FALSE(repository_.sensors().find("b-8").value());
}

TEST_F(SensorManagerTest, tells_a_service_when_its_binding_changes) {
  EXPECT_EQ(ask(kBind, 1).missing.size(), 1U);
  bus_.put_plain(topics_.sensor_requests, kAdd);
  const auto records = bus_.wait_for_count(topics_.sensor_replies, 3);
  ASSERT_EQ(records.size(), 3U);
  const auto rebound = reply(2);  // published before the answer to `add`
  EXPECT_EQ(rebound.service_id, "hello");
  EXPECT_EQ(rebound.binding, 2);
  EXPECT_TRUE(rebound.topics.contains("air"));
  EXPECT_EQ(reply(3).sensor_id, "b-7");
}

TEST_F(SensorManagerTest, refuses_with_every_problem) {
  const auto refused =
      ask(R"({"request_id": "r-9", "action": "add", "sensor_id": "a b", "rate": "often"})", 1);
  ASSERT_TRUE(refused.error);
  for (const char* pointer : {"/sensor_id", "/type", "/rate"})
    EXPECT_NE(refused.error->message.find(pointer), std::string::npos) << refused.error->message;
}

TEST_F(SensorManagerTest, simulates_until_removed) {
  ask(R"({"action": "simulate", "sensor_id": "s-1", "type": "t", "simulated_per_second": 100})", 1);
  EXPECT_GE(bus_.wait_for_count("sensor.t.s-1", 5).size(), 5U);
  ask(R"({"action": "remove", "sensor_id": "s-1"})", 2);
  EXPECT_FALSE(repository_.sensors().find("s-1").value());
}

TEST_F(SensorManagerTest, tries_again_while_the_repository_is_away) {
  repository_.fail_next(unavailable("store.away", "away"), 2, "sensors");
  EXPECT_FALSE(ask(kAdd, 1).error);
}

}  // namespace
}  // namespace slipway::sensor_manager
