#include "systems/sensor_manager/simulator.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <mutex>

#include "systems/sensor_manager/reading.hpp"
#include "tests/fakes/fake_bus.hpp"

namespace slipway::sensor_manager {
namespace {

using fakes::FakeBus;
using messages::Sensor;

Sensor simulated(const std::string& id, double per_second) {
  Sensor sensor;
  sensor.sensor_id = id;
  sensor.type = "t";
  sensor.topic = "sensor.t." + id;
  sensor.simulated = true;
  sensor.simulated_per_second = per_second;
  return sensor;
}

class SimulatorTest : public testing::Test {
 protected:
  std::unique_ptr<Simulator> start() {
    return std::make_unique<Simulator>(
        bus_, clock_, Log::silent(),
        [this]() -> Result<std::vector<Sensor>> {
          std::lock_guard lock(mutex_);
          return sensors_;
        },
        [this] { return may_run_.load(); });
  }
  void set(std::vector<Sensor> sensors) {
    std::lock_guard lock(mutex_);
    sensors_ = std::move(sensors);
  }
  std::vector<std::int64_t> numbers(std::size_t count, const std::string& topic = "sensor.t.a") {
    std::vector<std::int64_t> out;
    for (const auto& record : bus_.wait_for_count(topic, count)) out.push_back(seq_of(*record.value));
    return out;
  }
  static void expect_no_hole(const std::vector<std::int64_t>& numbers) {
    for (std::size_t i = 0; i < numbers.size(); ++i)
      ASSERT_EQ(numbers[i], static_cast<std::int64_t>(i) + 1) << "at " << i;
  }

  SystemClock clock_;
  FakeBus bus_;
  std::mutex mutex_;
  std::vector<Sensor> sensors_{simulated("a", 500)};  // guarded by mutex_
  std::atomic<bool> may_run_ = true;
};

TEST_F(SimulatorTest, numbers_readings_without_a_hole) {
  const auto simulator = start();
  const auto all = numbers(50);
  EXPECT_GE(all.size(), 50U);
  expect_no_hole(all);
  const auto record = bus_.records("sensor.t.a").front();
  EXPECT_EQ(record.key, "a");
  EXPECT_NE(record.value->find("\"sensor\":\"a\""), std::string::npos) << *record.value;
  EXPECT_NE(record.value->find("\"at\":\""), std::string::npos);
}

TEST_F(SimulatorTest, goes_on_from_the_last_record_after_a_restart) {
  auto simulator = start();
  numbers(10);
  simulator.reset();
  simulator = start();
  const auto all = numbers(bus_.records("sensor.t.a").size() + 10);
  expect_no_hole(all);
}

TEST_F(SimulatorTest, leaves_no_hole_and_no_double_when_publishing_fails) {
  const messages::TopicSpec topics[] = {{"sensor.t.a", 1, false, {}}};
  ASSERT_TRUE(bus_.ensure_topics(topics));
  bus_.fail_next_publish(Error{ErrorKind::kUnknown, "kafka.timeout", "lost"}, 2);
  const auto simulator = start();
  numbers(5);
  bus_.lose_answers(2);
  const auto all = numbers(bus_.records("sensor.t.a").size() + 20);
  expect_no_hole(all);
}

TEST_F(SimulatorTest, goes_on_after_an_outage) {
  const auto simulator = start();
  numbers(5);
  bus_.set_down(true);
  bus_.set_down(false);
  expect_no_hole(numbers(bus_.records("sensor.t.a").size() + 10));
}

TEST_F(SimulatorTest, is_quiet_where_it_may_not_run) {
  may_run_ = false;
  const auto simulator = start();
  EXPECT_FALSE(bus_.wait_for("sensor.t.a", [](const auto& all) { return !all.empty(); }, milliseconds{50}));
  may_run_ = true;
  EXPECT_FALSE(numbers(1).empty());
}

TEST_F(SimulatorTest, stops_with_the_removal_of_its_sensor) {
  const auto simulator = start();
  numbers(1);
  set({simulated("b", 500)});
  numbers(1, "sensor.t.b");  // seen: the other one is known to be gone
  const auto count = bus_.records("sensor.t.a").size();
  numbers(20, "sensor.t.b");
  EXPECT_EQ(bus_.records("sensor.t.a").size(), count);
}

TEST_F(SimulatorTest, keeps_the_rate) {
  set({simulated("a", 20)});
  const auto before = std::chrono::steady_clock::now();
  const auto simulator = start();
  numbers(11);
  const auto took = std::chrono::steady_clock::now() - before;
  EXPECT_GE(took, milliseconds{480});
  EXPECT_LT(took, milliseconds{3000});
}

TEST(Reading, has_plausible_values_of_its_fields) {
  Sensor sensor = simulated("a", 1);
  sensor.fields = {{"temperature", "Cel"}, {"strange", "furlong"}};
  const std::string text = make_reading(sensor, 7, from_ms(1'795'348'800'000));
  EXPECT_EQ(text, make_reading(sensor, 7, from_ms(1'795'348'800'000)));
  EXPECT_EQ(seq_of(text), 7);
  EXPECT_NE(text.find("\"temperature\":"), std::string::npos);
  EXPECT_NE(text.find("\"strange\":"), std::string::npos);
  EXPECT_EQ(seq_of("no json"), 0);
  EXPECT_EQ(seq_of("{\"seq\": \"7\"}"), 0);
}

}  // namespace
}  // namespace slipway::sensor_manager
