#include <gtest/gtest.h>

#include <cstdlib>
#include <stdexcept>

#include "adapters/kafka/kafka_bus.hpp"
#include "base/ids.hpp"
#include "messages/sensor.hpp"
#include "systems/sensor_manager/reading.hpp"
#include "systems/sensor_manager/sensor_manager.hpp"
#include "tests/fakes/fake_repository.hpp"

namespace slipway::tests {
namespace {

using sensor_manager::SensorManager;

// A topic's readings are numbered 1, 2, 3 ... though the Sensor Manager ends and comes back in between.
TEST(SimulatedSensor, has_no_hole_over_restarts) {
  const char* brokers = std::getenv("KAFKA_BROKERS");
  ASSERT_NE(brokers, nullptr) << "KAFKA_BROKERS is not set: run ./dev test, or ./dev env";
  SystemClock clock;
  const auto bus = kafka::open_bus({brokers, {}}, clock, Log::silent()).value();
  const messages::Topics topics("suite" + make_uuid().substr(0, 8) + ".");
  const auto made = bus->ensure_topics(topics.all());
  ASSERT_TRUE(made) << to_string(made.error());
  fakes::FakeRepository repository;
  const std::string topic = topics.prefix + "sensor";
  ASSERT_TRUE(bus->publish(
      {.topic = topics.sensor_requests,
       .key = "",
       .value =
           R"({"action": "simulate", "sensor_id": "s", "type": "t", "simulated_per_second": 100, "topic": ")" +
           topic + "\"}"}));

  std::vector<std::int64_t> numbers;
  std::unique_ptr<ports::Consumer> reader;
  for (int run = 1; run <= 4; ++run) {
    // The second bus stands for the next process.
    const auto own_bus = kafka::open_bus({brokers, {}}, clock, Log::silent()).value();
    const SensorManager manager(*own_bus, repository, clock, Log::silent(), topics, {.holder = "me"});
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    const auto enough = static_cast<std::size_t>(run) * 60;
    while (numbers.size() < enough && std::chrono::steady_clock::now() < deadline) {
      if (!reader) {
        if (auto opened = bus->read_all({topic}, ports::From::kBeginning)) reader = std::move(*opened);
        continue;
      }
      const auto records = reader->poll(100, milliseconds{100});
      ASSERT_TRUE(records) << to_string(records.error());
      for (const auto& record : *records) numbers.push_back(sensor_manager::seq_of(*record.value));
    }
    ASSERT_GE(numbers.size(), enough) << "in run " << run;
  }
  for (std::size_t i = 0; i < numbers.size(); ++i)
    ASSERT_EQ(numbers[i], static_cast<std::int64_t>(i) + 1) << "at " << i;
}

}  // namespace
}  // namespace slipway::tests
