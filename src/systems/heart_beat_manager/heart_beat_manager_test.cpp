#include "systems/heart_beat_manager/heart_beat_manager.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <thread>

#include "messages/machine_sample.hpp"
#include "messages/service_event.hpp"
#include "tests/fakes/fake_bus.hpp"
#include "tests/fakes/fake_repository.hpp"

namespace slipway::heart_beat_manager {
namespace {

using messages::MachineState;
using std::chrono::seconds;

const std::string kGroup = "slipway.heart_beat_manager";

struct HeartBeatManagerTest : testing::Test {
  ManualClock clock;
  fakes::FakeBus bus;
  fakes::FakeRepository repository;
  const messages::Topics topics;
  std::int64_t seq = 0;
  int started = 0;

  void SetUp() override {
    ASSERT_TRUE(bus.ensure_topics(topics.all()));
    publish(topics.machine_registry, "edge-1", messages::to_json(machine("edge-1")));
  }
  static messages::Machine machine(const std::string& name) {
    messages::Machine made;
    made.name = name;
    made.docker = "unix:///var/run/docker.sock";
    return made;
  }
  void publish(const std::string& topic, const std::string& key, std::optional<std::string> value) {
    ASSERT_TRUE(bus.publish({.topic = topic, .key = key, .value = std::move(value), .source = "/test"}));
  }
  std::unique_ptr<HeartBeatManager> start() {
    HeartBeatManagerSettings settings;
    settings.round = milliseconds(5);
    settings.holder = "holder-" + std::to_string(++started);
    return std::make_unique<HeartBeatManager>(bus, repository, clock, Log::silent(), topics, settings);
  }
  void beat(const std::string& name = "edge-1") {
    messages::MachineSample sample;
    sample.machine = name;
    sample.boot_id = "b";
    sample.seq = ++seq;
    sample.t = to_ms(clock.now());
    std::string json;
    messages::append_json(sample, json);
    publish(topics.machine_stats, name, json);
  }
  std::optional<messages::MachineStateReport> last(const std::string& name = "edge-1") {
    std::optional<messages::MachineStateReport> found;
    for (const auto& record : bus.records(topics.machine_state)) {
      if (record.key != name) continue;
      found.reset();
      if (record.value) found = *messages::parse_machine_state(*record.value);
    }
    return found;
  }
  bool says(MachineState state, const std::string& name = "edge-1") {
    const auto report = last(name);
    return report && report->state == state;
  }
  bool until(const std::function<bool()>& condition, milliseconds step) {
    const auto deadline = std::chrono::steady_clock::now() + seconds(10);
    while (!condition()) {
      if (std::chrono::steady_clock::now() > deadline) return false;
      clock.advance(step);
      std::this_thread::sleep_for(milliseconds(2));
    }
    return true;
  }
  // Time hardly passes meanwhile.
  bool soon(const std::function<bool()>& condition) { return until(condition, milliseconds(5)); }
  // Time flies: seconds pass, whether the manager sees each of them or not.
  bool later(const std::function<bool()>& condition) { return until(condition, seconds(1)); }
  // The manager has had a whole round: one begins with each poll, so it is over with the second.
  std::function<bool()> round() {
    return [this, before = bus.polls(kGroup)] { return bus.polls(kGroup) >= before + 2; };
  }
  // Seconds pass one by one, each seen by the manager.
  void pass(int count, bool beating = false) {
    for (int i = 0; i < count; ++i) {
      if (beating) beat();
      clock.advance(seconds(1));
      ASSERT_TRUE(soon(round()));
    }
  }
  // The manager is in its rounds: it has said something.
  void listening() {
    ASSERT_TRUE(soon([&] { return last().has_value(); }));
  }
};

TEST_F(HeartBeatManagerTest, says_up_with_the_first_sample) {
  const auto manager = start();
  listening();
  EXPECT_TRUE(says(MachineState::kUnknown));
  beat();
  EXPECT_TRUE(soon([&] { return says(MachineState::kUp); }));
}

TEST_F(HeartBeatManagerTest, says_suspect_then_down_then_up) {
  const auto manager = start();
  listening();
  beat();
  ASSERT_TRUE(soon([&] { return says(MachineState::kUp); }));
  pass(16);
  EXPECT_TRUE(soon([&] { return says(MachineState::kSuspect); }));
  EXPECT_EQ(last()->cause, "agent");
  pass(15);
  EXPECT_TRUE(soon([&] { return says(MachineState::kDown); }));
  beat();
  EXPECT_TRUE(soon([&] { return says(MachineState::kUp); }));
}

TEST_F(HeartBeatManagerTest, repeats_itself_every_ten_seconds) {
  const auto manager = start();
  listening();
  beat();
  ASSERT_TRUE(soon([&] { return says(MachineState::kUp); }));
  const auto before = bus.records(topics.machine_state).size();
  pass(11, /*beating=*/true);
  EXPECT_TRUE(soon([&] { return bus.records(topics.machine_state).size() > before; }));
  EXPECT_TRUE(says(MachineState::kUp));
}

TEST_F(HeartBeatManagerTest, marks_nobody_down_after_a_pause_of_its_own) {
  const auto manager = start();
  listening();
  beat();
  ASSERT_TRUE(soon([&] { return says(MachineState::kUp); }));
  clock.advance(seconds(600));  // nobody ran meanwhile
  ASSERT_TRUE(soon(round()));
  EXPECT_TRUE(says(MachineState::kUp));
  pass(14);
  EXPECT_TRUE(says(MachineState::kUp));
}

TEST_F(HeartBeatManagerTest, marks_nobody_down_after_a_restart) {
  auto manager = start();
  listening();
  beat();
  ASSERT_TRUE(soon([&] { return says(MachineState::kUp); }));
  const WallTime since = last()->since;
  manager.reset();
  clock.advance(seconds(600));
  const auto before = bus.records(topics.machine_state).size();
  manager = start();
  ASSERT_TRUE(soon([&] { return bus.records(topics.machine_state).size() > before; }));
  EXPECT_TRUE(says(MachineState::kUp));
  EXPECT_EQ(last()->since, since) << "up all the time";
}

TEST_F(HeartBeatManagerTest, marks_nobody_down_while_kafka_is_away) {
  const auto manager = start();
  listening();
  beat();
  ASSERT_TRUE(soon([&] { return says(MachineState::kUp); }));
  bus.set_down(true);
  const MonoTime back_after = clock.mono() + seconds(60);
  ASSERT_TRUE(later([&, seen = round()] { return clock.mono() > back_after && seen(); }));
  bus.set_down(false);
  ASSERT_TRUE(later(round()));
  pass(5);
  EXPECT_TRUE(says(MachineState::kUp));
}

TEST_F(HeartBeatManagerTest, blames_the_machine_when_its_engine_is_lost_too) {
  const auto manager = start();
  listening();
  beat();
  ASSERT_TRUE(soon([&] { return says(MachineState::kUp); }));
  messages::ServiceEvent event;
  event.event = "engine_lost";
  event.machine = "edge-1";
  event.at = clock.now();
  publish(topics.service_events, "edge-1", messages::to_json(event));
  EXPECT_TRUE(soon([&] { return last()->cause == "engine"; }));
  pass(16);
  EXPECT_TRUE(soon([&] { return says(MachineState::kSuspect) && last()->cause == "machine"; }));
}

TEST_F(HeartBeatManagerTest, takes_its_word_back_when_a_machine_is_removed) {
  const auto manager = start();
  listening();
  publish(topics.machine_registry, "edge-1", std::nullopt);
  EXPECT_TRUE(soon([&] { return !last(); }));
}

TEST_F(HeartBeatManagerTest, one_of_two_speaks_and_the_other_takes_over) {
  auto first = start();
  listening();
  const auto second = start();
  beat();
  ASSERT_TRUE(soon([&] { return says(MachineState::kUp); }));
  pass(3, /*beating=*/true);
  const auto ups = [&] {
    int count = 0;
    for (const auto& record : bus.records(topics.machine_state))
      if (messages::parse_machine_state(*record.value)->state == MachineState::kUp) ++count;
    return count;
  };
  EXPECT_EQ(ups(), 1);
  EXPECT_EQ(*bus.group_members(kGroup), 1);
  first.reset();
  EXPECT_TRUE(soon([&] { return ups() > 1; }));
}

}  // namespace
}  // namespace slipway::heart_beat_manager
