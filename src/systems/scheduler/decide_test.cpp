#include "systems/scheduler/decide.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace slipway::scheduler {
namespace {

using messages::MachineState;
using testing::HasSubstr;

const WallTime kNow = from_ms(1'795'348'800'000);

Candidate machine(const std::string& name, std::optional<MachineState> state, double cpu = 10,
                  double memory = 10, int services = 0) {
  Candidate out;
  out.machine.name = name;
  out.machine.registered_at = kNow - std::chrono::seconds{5};
  if (state) {
    out.state.emplace();
    out.state->state = *state;
    out.state->since = kNow - std::chrono::minutes{3};
  }
  out.load = Load{cpu, memory};
  out.services = services;
  return out;
}

TEST(Decide, takes_the_least_loaded) {
  const auto choice =
      decide({machine("a", MachineState::kUp, 80, 40), machine("b", MachineState::kUp, 12, 30),
              machine("c", MachineState::kUp, 50, 50)},
             "", kNow);
  EXPECT_EQ(choice.machine, "b");
  EXPECT_THAT(choice.reason, HasSubstr("least loaded of 3"));
  EXPECT_THAT(choice.reason, HasSubstr("processor 12 %, memory 30 %"));
}

TEST(Decide, spreads_services_over_machines_that_are_equally_idle) {
  EXPECT_EQ(
      decide({machine("a", MachineState::kUp, 2, 10, 3), machine("b", MachineState::kUp, 4, 10, 1)}, "", kNow)
          .machine,
      "b");
}

TEST(Decide, says_why_not_of_each_that_does_not_fit) {
  auto broken = machine("broken", MachineState::kUp);
  broken.machine.engine_error = "connection refused";
  auto cordoned = machine("cordoned", MachineState::kUp);
  cordoned.machine.cordoned = true;
  auto down = machine("down", MachineState::kDown);
  down.state->cause = "link";
  const auto choice = decide({broken, cordoned, down, machine("shaky", MachineState::kSuspect),
                              machine("new", std::nullopt), machine("good", MachineState::kUp, 99, 99, 9)},
                             "", kNow);
  EXPECT_EQ(choice.machine, "good");
  EXPECT_THAT(choice.reason, HasSubstr("the only one"));
  EXPECT_THAT(choice.refused.at("broken"), HasSubstr("connection refused"));
  EXPECT_EQ(choice.refused.at("cordoned"), "cordoned");
  EXPECT_EQ(choice.refused.at("down"), "down (link) for 3 m 0 s");
  EXPECT_THAT(choice.refused.at("shaky"), HasSubstr("suspect"));
  EXPECT_THAT(choice.refused.at("new"), HasSubstr("no sample"));
  EXPECT_FALSE(choice.may_change_soon);
}

TEST(Decide, keeps_what_was_chosen_before_while_it_fits) {
  const std::vector<Candidate> all{machine("a", MachineState::kUp, 5, 5),
                                   machine("b", MachineState::kUp, 90, 90)};
  EXPECT_EQ(decide(all, "b", kNow).machine, "b");
  EXPECT_EQ(decide({machine("a", MachineState::kUp), machine("b", MachineState::kDown)}, "b", kNow).machine,
            "a");
}

TEST(Decide, says_when_waiting_may_help) {
  EXPECT_TRUE(decide({machine("new", std::nullopt)}, "", kNow).may_change_soon);
  EXPECT_TRUE(decide({machine("new", MachineState::kUnknown)}, "", kNow).may_change_soon);
  auto mute = machine("mute", MachineState::kUnknown);
  mute.machine.registered_at = kNow - std::chrono::minutes{5};
  EXPECT_FALSE(decide({mute}, "", kNow).may_change_soon);
  EXPECT_FALSE(decide({machine("down", MachineState::kDown)}, "", kNow).may_change_soon);
  auto broken = machine("broken", std::nullopt);
  broken.machine.engine_error = "connection refused";
  EXPECT_FALSE(decide({broken}, "", kNow).may_change_soon);
  const auto none = decide({}, "", kNow);
  EXPECT_TRUE(none.machine.empty());
  EXPECT_EQ(none.reason, "no machine is registered");
}

}  // namespace
}  // namespace slipway::scheduler
