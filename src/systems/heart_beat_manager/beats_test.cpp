#include "systems/heart_beat_manager/beats.hpp"

#include <gtest/gtest.h>

namespace slipway::heart_beat_manager {
namespace {

using messages::MachineState;
using std::chrono::seconds;

struct BeatsTest : testing::Test {
  Beats beats;
  MonoTime now{seconds(1000)};
  WallTime wall = from_ms(1'795'348'860'000);
  std::int64_t seq = 0;

  void pass(int s) {
    now += seconds(s);
    wall += seconds(s);
  }
  void beat(const std::string& machine = "edge-1") {
    messages::MachineSample sample;
    sample.machine = machine;
    sample.seq = ++seq;
    sample.t = to_ms(wall) + 12;
    beats.beat(sample, now, wall);
  }
  void listen() {
    beats.listen_from(now);
    beats.add("edge-1", now, wall);
  }
  Beats::Report judged(const std::string& machine = "edge-1") {
    (void)beats.judge(now, wall);
    for (const auto& report : beats.all())
      if (report.machine == machine) return report;
    return {};
  }
};

TEST_F(BeatsTest, a_machine_is_up_with_its_first_sample) {
  listen();
  EXPECT_EQ(judged().state, MachineState::kUnknown);
  pass(3);
  beat();
  const auto report = judged();
  EXPECT_EQ(report.state, MachineState::kUp);
  EXPECT_EQ(report.since, wall);
  EXPECT_EQ(report.last_seq, 1);
  EXPECT_EQ(report.clock_offset_ms, 12);
  EXPECT_EQ(report.cause, "");
}

TEST_F(BeatsTest, fifteen_seconds_of_silence_are_suspect_and_thirty_are_down) {
  listen();
  beat();
  EXPECT_EQ(judged().state, MachineState::kUp);
  pass(14);
  EXPECT_EQ(judged().state, MachineState::kUp);
  pass(1);
  EXPECT_EQ(judged().state, MachineState::kSuspect);
  EXPECT_EQ(judged().cause, "agent");
  pass(14);
  EXPECT_EQ(judged().state, MachineState::kSuspect);
  pass(1);
  EXPECT_EQ(judged().state, MachineState::kDown);
  EXPECT_EQ(judged().since, wall);
  pass(100);
  beat();
  EXPECT_EQ(judged().state, MachineState::kUp);
}

TEST_F(BeatsTest, only_changes_are_told) {
  listen();
  EXPECT_EQ(beats.judge(now, wall).size(), 1U) << "the first word about a machine";
  EXPECT_TRUE(beats.judge(now, wall).empty());
  beat();
  EXPECT_EQ(beats.judge(now, wall).size(), 1U);
  pass(5);
  beat();
  EXPECT_TRUE(beats.judge(now, wall).empty());
  beats.engine("edge-1", true);
  EXPECT_EQ(beats.judge(now, wall).size(), 1U);
}

TEST_F(BeatsTest, a_pause_of_ours_makes_nobody_suspect) {
  listen();
  beat();
  EXPECT_EQ(judged().state, MachineState::kUp);
  pass(3600);
  beats.listen_from(now);
  EXPECT_EQ(judged().state, MachineState::kUp);
  pass(14);
  EXPECT_EQ(judged().state, MachineState::kUp);
  pass(16);
  EXPECT_EQ(judged().state, MachineState::kDown) << "thirty seconds of listening and no sample";
}

TEST_F(BeatsTest, a_restart_goes_on_with_what_was_said) {
  Beats::Report said;
  said.machine = "edge-1";
  said.state = MachineState::kUp;
  said.since = wall - seconds(500);
  beats.restore(said);
  listen();
  EXPECT_EQ(judged().state, MachineState::kUp);
  EXPECT_EQ(judged().since, wall - seconds(500));
  pass(10);
  beat();
  EXPECT_EQ(judged().since, wall - seconds(510)) << "up all the time";
}

TEST_F(BeatsTest, what_was_said_may_be_read_after_the_registration) {
  listen();
  Beats::Report said;
  said.machine = "edge-1";
  said.state = MachineState::kDown;
  beats.restore(said);
  EXPECT_EQ(judged().state, MachineState::kDown);
  said.state = MachineState::kUp;
  beats.restore(said);
  EXPECT_EQ(judged().state, MachineState::kDown) << "our own word counts more";
}

TEST_F(BeatsTest, one_that_was_never_up_is_unknown_then_down) {
  listen();
  pass(20);
  EXPECT_EQ(judged().state, MachineState::kUnknown);
  pass(10);
  EXPECT_EQ(judged().state, MachineState::kDown);
}

TEST_F(BeatsTest, engine_and_silence_together_are_the_machine) {
  listen();
  beat();
  beats.engine("edge-1", true);
  EXPECT_EQ(judged().state, MachineState::kUp);
  EXPECT_EQ(judged().cause, "engine");
  pass(15);
  EXPECT_EQ(judged().cause, "machine");
  beats.engine("edge-1", false);
  EXPECT_EQ(judged().cause, "agent");
  beat();
  EXPECT_EQ(judged().cause, "");
}

TEST_F(BeatsTest, strangers_and_removed_machines_are_not_reported) {
  listen();
  beat("stranger");
  EXPECT_EQ(beats.all().size(), 0U);
  (void)beats.judge(now, wall);
  EXPECT_EQ(beats.all().size(), 1U);
  EXPECT_EQ(beats.last_heard(), now);
  beats.remove("edge-1");
  EXPECT_TRUE(beats.judge(now, wall).empty());
  EXPECT_TRUE(beats.all().empty());
}

}  // namespace
}  // namespace slipway::heart_beat_manager
