#include "systems/life_cycle_manager/decide.hpp"

#include <gtest/gtest.h>

namespace slipway::life_cycle_manager {
namespace {

using messages::State;

messages::DeploymentStatus status(const std::string& request, State state, bool final) {
  messages::DeploymentStatus out;
  out.request_id = request;
  out.service_id = "shop";
  out.state = state;
  out.final = final;
  out.at = from_ms(1'795'348'800'000);
  return out;
}

ports::Lane lane(ports::Wanted wanted, std::optional<std::int64_t> committed) {
  return {.service_id = "shop", .committed = committed, .wanted = wanted, .machines = {"edge-1"}};
}

TEST(AfterStatus, goes_from_registered_over_deploying_to_running) {
  const auto deploying = after_status(std::nullopt, status("r-1", State::kRunning, false), std::nullopt);
  ASSERT_TRUE(deploying);
  EXPECT_EQ(deploying->state, "deploying");
  const auto running =
      after_status(deploying, status("r-1", State::kSucceeded, true), lane(ports::Wanted::kRunning, 1));
  ASSERT_TRUE(running);
  EXPECT_EQ(running->state, "running");
  EXPECT_EQ(running->serving, 1);
  EXPECT_EQ(running->machine, "edge-1");
}

TEST(AfterStatus, a_late_message_of_an_ended_deployment_changes_nothing) {
  const ports::Service running{.service_id = "shop", .state = "running", .last_request = "r-1"};
  EXPECT_FALSE(
      after_status(running, status("r-1", State::kRunning, false), lane(ports::Wanted::kRunning, 1)));
}

TEST(AfterStatus, a_failure_keeps_what_serves) {
  const ports::Service deploying{.service_id = "shop", .state = "deploying", .last_request = "r-2"};
  auto failed = status("r-2", State::kFailed, true);
  failed.error = invalid("service.died", "exit code 1");
  const auto still = after_status(deploying, failed, lane(ports::Wanted::kRunning, 1));
  EXPECT_EQ(still->state, "running");
  EXPECT_EQ(still->last_error, "exit code 1");
  const auto down = after_status(deploying, failed, lane(ports::Wanted::kRemoved, std::nullopt));
  EXPECT_EQ(down->state, "failed");
}

TEST(AfterStatus, knows_stopped_completed_and_removed) {
  const auto end = status("r-3", State::kSucceeded, true);
  EXPECT_EQ(after_status(std::nullopt, end, lane(ports::Wanted::kStopped, 2))->state, "stopped");
  EXPECT_EQ(after_status(std::nullopt, end, lane(ports::Wanted::kRemoved, 2))->state, "removed");
  EXPECT_EQ(
      after_status(std::nullopt, status("r-4", State::kCompleted, true), lane(ports::Wanted::kCompleted, 2))
          ->state,
      "completed");
}

TEST(History, is_the_same_for_the_same_message) {
  const auto end = status("r-3", State::kSucceeded, true);
  EXPECT_EQ(history_of(end, "running")->entry_id, history_of(end, "running")->entry_id);
  EXPECT_FALSE(history_of(status("r-3", State::kRunning, false), "deploying"));
}

}  // namespace
}  // namespace slipway::life_cycle_manager
