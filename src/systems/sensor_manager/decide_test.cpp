#include "systems/sensor_manager/decide.hpp"

#include <gtest/gtest.h>

namespace slipway::sensor_manager {
namespace {

using messages::Sensor;
using messages::SensorAction;
using messages::SensorRequest;

const WallTime kNow = from_ms(1'795'348'800'000);

Sensor sensor(const std::string& id, const std::string& type) {
  Sensor out;
  out.sensor_id = id;
  out.type = type;
  out.topic = "sensor." + type + "." + id;
  return out;
}

SensorRequest request(SensorAction action, const std::string& id) {
  SensorRequest out;
  out.request_id = "r-1";
  out.action = action;
  out.sensor = sensor(id, "bme280");
  out.sensor->topic.clear();
  out.sensor->simulated = action == SensorAction::kSimulate;
  out.correlation_id = "c";
  return out;
}

SensorRequest bind(const std::vector<std::string>& types) {
  SensorRequest out;
  out.request_id = "r-1";
  out.service_id = "hello";
  out.correlation_id = "c";
  for (const auto& type : types) {
    messages::SensorNeed need;
    need.name = type;
    need.type = type;
    out.sensors.push_back(need);
  }
  return out;
}

TEST(Decide, adds_a_sensor_under_its_default_topic) {
  const auto decision = decide(request(SensorAction::kAdd, "b-7"), {}, kNow);
  ASSERT_TRUE(decision.store);
  EXPECT_EQ(decision.store->topic, "sensor.bme280.b-7");
  EXPECT_EQ(decision.store->registered_at, kNow);
  EXPECT_FALSE(decision.reply.error);
  EXPECT_EQ(decision.reply.sensor_id, "b-7");
  EXPECT_EQ(decision.reply.correlation_id, "c");
}

TEST(Decide, changes_nothing_when_the_same_sensor_is_added_again) {
  Known known{.sensors = {*decide(request(SensorAction::kAdd, "b-7"), {}, kNow).store}, .binding = {}};
  const auto again = decide(request(SensorAction::kAdd, "b-7"), known, kNow + milliseconds{1});
  EXPECT_FALSE(again.store);
  EXPECT_FALSE(again.reply.error);
  const auto other = decide(request(SensorAction::kSimulate, "b-7"), known, kNow);
  ASSERT_TRUE(other.reply.error);
  EXPECT_EQ(other.reply.error->code, "sensor.conflict");
  EXPECT_FALSE(other.store);
}

TEST(Decide, removes_what_is_there) {
  const Known known{.sensors = {sensor("b-7", "bme280")}, .binding = {}};
  EXPECT_EQ(decide(request(SensorAction::kRemove, "b-7"), known, kNow).remove, "b-7");
  const auto unknown = decide(request(SensorAction::kRemove, "b-8"), known, kNow);
  EXPECT_FALSE(unknown.remove);
  EXPECT_EQ(unknown.reply.error->code, "sensor.unknown");
}

TEST(Decide, binds_what_matches_and_names_what_does_not) {
  const Known known{.sensors = {sensor("b-7", "bme280")}, .binding = {}};
  const auto decision = decide(bind({"bme280", "flow"}), known, kNow);
  EXPECT_EQ(decision.reply.topics.at("bme280").topic, "sensor.bme280.b-7");
  EXPECT_EQ(decision.reply.topics.at("bme280").key, "b-7");
  EXPECT_TRUE(decision.reply.missing.contains("flow"));
  EXPECT_EQ(decision.reply.error->code, "sensor.no_match");
  EXPECT_EQ(decision.reply.binding, 1);
  ASSERT_TRUE(decision.bind);
  EXPECT_EQ(decision.bind->service_id, "hello");
}

TEST(Decide, raises_the_number_only_when_topics_change) {
  Known known{.sensors = {sensor("b-7", "bme280"), sensor("f-1", "flow")}, .binding = {}};
  known.binding = decide(bind({"bme280"}), known, kNow).bind;
  const auto same = decide(bind({"bme280"}), known, kNow);
  EXPECT_EQ(same.reply.binding, 1);
  EXPECT_FALSE(same.bind);
  const auto more = decide(bind({"bme280", "flow"}), known, kNow);
  EXPECT_EQ(more.reply.binding, 2);
  EXPECT_TRUE(more.bind);
}

TEST(Decide, remembers_what_is_asked_even_where_nothing_is_asked) {
  const auto decision = decide(bind({}), {}, kNow);
  EXPECT_FALSE(decision.reply.error);
  EXPECT_TRUE(decision.reply.topics.empty());
  EXPECT_TRUE(decision.bind);
}

TEST(Decide, binds_again_when_the_registry_changes) {
  Known known{.sensors = {sensor("b-7", "bme280")}, .binding = {}};
  const auto binding = *decide(bind({"bme280", "flow"}), known, kNow).bind;
  EXPECT_FALSE(bind_again(binding, known.sensors, kNow));
  known.sensors.push_back(sensor("b-1", "bme280"));
  EXPECT_FALSE(bind_again(binding, known.sensors, kNow));  // stays with what it has
  known.sensors.push_back(sensor("f-1", "flow"));
  const auto changed = bind_again(binding, known.sensors, kNow);
  ASSERT_TRUE(changed);
  EXPECT_EQ(changed->reply.binding, 2);
  EXPECT_EQ(changed->reply.topics.size(), 2U);
  EXPECT_EQ(changed->reply.request_id, "r-1");
  EXPECT_FALSE(changed->reply.error);
  ASSERT_TRUE(changed->bind);
}

}  // namespace
}  // namespace slipway::sensor_manager
