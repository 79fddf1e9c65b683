#include "systems/monitoring_service/monitoring_service.hpp"

#include <gtest/gtest.h>

#include <functional>

#include "messages/machine_sample.hpp"
#include "ports/stores/columns.hpp"
#include "tests/fakes/fake_bus.hpp"
#include "tests/fakes/fake_repository.hpp"

namespace slipway::monitoring_service {
namespace {

using std::chrono::seconds;

constexpr std::int64_t kMinute = 1'795'348'860'000;

struct MonitoringServiceTest : testing::Test {
  ManualClock clock{from_ms(kMinute)};
  fakes::FakeBus bus;
  fakes::FakeRepository repository;
  const messages::Topics topics;

  void SetUp() override { ASSERT_TRUE(bus.ensure_topics(topics.all())); }

  std::unique_ptr<MonitoringService> start(MonitoringServiceSettings settings = {}) {
    return std::make_unique<MonitoringService>(bus, repository, clock, Log::silent(), topics, settings);
  }
  void send(std::int64_t seq, const std::string& machine = "edge-1") {
    messages::MachineSample sample;
    sample.machine = machine;
    sample.boot_id = "b1";
    sample.seq = seq;
    sample.t = kMinute + seq * 1000;
    sample.cpu.used = static_cast<double>(seq % 100);
    std::string json;
    messages::append_json(sample, json);
    ASSERT_TRUE(
        bus.publish({.topic = topics.machine_stats, .key = machine, .value = json, .source = "/machines"}));
  }
  std::int64_t stored(const std::string& machine = "edge-1", std::int64_t minute = kMinute) {
    const auto document = repository.samples().load(machine, "", minute);
    return document && *document ? (*document)->samples : 0;
  }
  std::int64_t committed() {
    std::int64_t sum = 0;
    const auto offsets = bus.committed("slipway.monitoring_service", std::vector{topics.machine_stats});
    EXPECT_TRUE(offsets);
    if (offsets)
      for (const auto& [partition, offset] : *offsets) sum += offset;
    return sum;
  }
  // Lets time pass, a second at a time, until `condition`.
  bool until(const std::function<bool()>& condition) {
    const auto deadline = std::chrono::steady_clock::now() + seconds(10);
    while (!condition()) {
      if (std::chrono::steady_clock::now() > deadline) return false;
      clock.advance(seconds(1));
      std::this_thread::sleep_for(milliseconds(5));
    }
    return true;
  }
};

TEST_F(MonitoringServiceTest, stores_what_machines_send) {
  const auto service = start();
  for (int i = 0; i < 60; ++i) send(i);
  send(5, "edge-2");
  EXPECT_TRUE(until([&] { return stored() == 60 && stored("edge-2") == 1; }));
  EXPECT_TRUE(until([&] { return committed() == 61; }));
}

TEST_F(MonitoringServiceTest, commits_no_offset_before_its_sample_is_stored) {
  auto service = start();
  send(1);
  EXPECT_TRUE(until([&] { return stored() == 1 && committed() == 1; }));
  repository.set_down(true);
  send(2);
  EXPECT_TRUE(until([&] { return repository.refused() >= 3; }));
  service.reset();
  EXPECT_EQ(committed(), 1);
}

TEST_F(MonitoringServiceTest, leaves_no_hole_and_no_double_when_restarted_in_the_middle) {
  for (int round = 0; round < 6; ++round) {
    // Every other one ends while the Repository is away: like a kill, nothing is stored at its end.
    auto service = start();
    for (int i = 0; i < 10; ++i) send(round * 10 + i);
    if (round == 0) {
      EXPECT_TRUE(until([&] { return stored() > 0; }));
    }
    repository.set_down(round % 2 == 1);
    service.reset();
    repository.set_down(false);
  }
  const auto last = start();
  EXPECT_TRUE(until([&] { return stored() == 60 && committed() == 60; }));
  const auto columns = ports::Columns::decode((*repository.samples().load("edge-1", "", kMinute))->columns);
  ASSERT_TRUE(columns);
  ASSERT_EQ(columns->rows().size(), 60U);
  for (std::size_t i = 0; i < 60; ++i) EXPECT_EQ(columns->rows()[i].seq, static_cast<std::int64_t>(i));
}

TEST_F(MonitoringServiceTest, goes_on_after_the_repository_was_away_with_bounded_memory) {
  repository.set_down(true);
  const auto service = start({.minutes = {}, .most_waiting = 5});
  for (int i = 0; i < 60; ++i) send(i);
  EXPECT_TRUE(until([&] { return repository.refused() >= 3; }));
  EXPECT_EQ(committed(), 0);
  repository.set_down(false);
  EXPECT_TRUE(until([&] { return stored() == 60 && committed() == 60; }));
}

TEST_F(MonitoringServiceTest, puts_poison_aside_and_goes_on) {
  const auto service = start();
  for (const std::string poison : {"no json", "{\"machine\":\"edge-1\"}", "[]", ""})
    ASSERT_TRUE(
        bus.publish({.topic = topics.machine_stats, .key = "edge-1", .value = poison, .source = "/x"}));
  send(1);
  EXPECT_TRUE(until([&] { return stored() == 1 && committed() == 5; }));
  const auto letters = bus.wait_for_count(topics.deadletter, 4);
  ASSERT_EQ(letters.size(), 4U);
  EXPECT_EQ(letters[0].value, "no json");
  EXPECT_EQ(ports::find_header(letters[0], "slipway_topic"), topics.machine_stats);
}

TEST_F(MonitoringServiceTest, refuses_a_sample_under_another_machines_key) {
  const auto service = start();
  messages::MachineSample sample;
  sample.machine = "edge-1";
  sample.boot_id = "b1";
  sample.seq = 1;
  sample.t = kMinute;
  std::string json;
  messages::append_json(sample, json);
  ASSERT_TRUE(bus.publish({.topic = topics.machine_stats, .key = "edge-2", .value = json, .source = "/x"}));
  EXPECT_EQ(bus.wait_for_count(topics.deadletter, 1).size(), 1U);
  bus.put_plain(topics.machine_stats, json);
  EXPECT_TRUE(until([&] { return stored() == 1; })) << "without a key it is fine";
}

TEST_F(MonitoringServiceTest, shares_the_partitions_with_others) {
  auto first = start();
  for (int i = 0; i < 20; ++i)
    for (int m = 0; m < 5; ++m) send(i, "edge-" + std::to_string(m));
  auto second = start();
  for (int i = 20; i < 40; ++i)
    for (int m = 0; m < 5; ++m) send(i, "edge-" + std::to_string(m));
  clock.advance(seconds(2));
  first.reset();
  for (int i = 40; i < 60; ++i)
    for (int m = 0; m < 5; ++m) send(i, "edge-" + std::to_string(m));
  EXPECT_TRUE(until([&] {
    for (int m = 0; m < 5; ++m)
      if (stored("edge-" + std::to_string(m)) != 60) return false;
    return committed() == 300;
  }));
}

}  // namespace
}  // namespace slipway::monitoring_service
