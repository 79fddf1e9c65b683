#include "systems/deployment_manager/stage_deadline.hpp"

#include <gtest/gtest.h>

namespace slipway::deployment_manager {
namespace {

using namespace std::chrono_literals;

TEST(StageDeadline, stops_a_stage_whose_time_is_over) {
  ManualClock clock;
  StageDeadline deadline(clock, 60s, {});
  EXPECT_FALSE(deadline.passed());
  SystemClock real;
  const auto until = real.mono() + 5s;
  // The worker may begin to wait only after the first step: step until it has seen one whole minute.
  while (!deadline.passed() && real.mono() < until) {
    clock.advance(60s);
    real.sleep(1ms, {});
  }
  EXPECT_TRUE(deadline.passed());
  EXPECT_TRUE(deadline.token().stop_requested());
}

TEST(StageDeadline, passes_a_hurry_on_and_is_not_over_by_it) {
  ManualClock clock;
  std::stop_source hurry;
  StageDeadline deadline(clock, 60s, hurry.get_token());
  hurry.request_stop();
  EXPECT_TRUE(deadline.token().stop_requested());
  EXPECT_FALSE(deadline.passed());
}

TEST(StageDeadline, ends_with_its_scope) {
  ManualClock clock;
  {
    StageDeadline deadline(clock, 3600s, {});
  }
  SUCCEED();
}

}  // namespace
}  // namespace slipway::deployment_manager
