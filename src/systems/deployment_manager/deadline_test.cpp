#include <gtest/gtest.h>

#include "tests/fakes/held_deployment.hpp"

// Nothing is in progress for ever: what each stage does when its time is over.
namespace slipway::deployment_manager {
namespace {

// FAULTS F05: what needs nobody behind Kafka goes on without it.
TEST_F(Deploying, F05_without_kafka_an_agent_that_ran_before_is_believed_to_run) {
  wait_end(ask_deploy());
  wait_free();
  put_source(std::string(kMeta), "print(2)");
  engine().hold_builds(true);
  const auto id = ask_deploy();
  ASSERT_TRUE(wait_until([&] { return engine().count("build") == 2; }));
  agent_is_silent_ = true;
  bus_.set_down(true);
  engine().hold_builds(false);
  const auto ended = [&] {
    const auto stored = repository_.deployments().find(id);
    return stored && *stored && (*stored)->end;
  };
  for (int leaps = 0; leaps < 6 && !ended(); ++leaps) {
    clock_.leap(11s);
    const auto until = clock_.mono() + 500ms;
    while (!ended() && clock_.mono() < until) clock_.sleep(5ms, {});
  }
  EXPECT_TRUE(ended());
  EXPECT_TRUE(container("shop-2-1")->running);
  bus_.set_down(false);
  EXPECT_EQ(wait_end(id).state, State::kSucceeded);
}

class LateAt : public HeldAt {};

TEST_P(LateAt, it_ends_and_what_served_serves_or_it_is_parked) {
  ASSERT_NO_FATAL_FAILURE(serve_first());
  const auto id = ask_and_hold();
  ASSERT_TRUE(wait_until([&] { return is_held(id); }));
  const auto ended = [&] { return !statuses(id).empty() && statuses(id).back().final; };
  // Who waits begins a moment after it can be seen that it does: one leap may come too early for it.
  for (int leaps = 0; leaps < 20 && !ended(); ++leaps) {
    clock_.leap(std::chrono::hours{1});
    if (GetParam().parked) let_go();
    const auto until = clock_.mono() + 500ms;
    while (!ended() && clock_.mono() < until) clock_.sleep(5ms, {});
  }
  if (GetParam().parked) {
    EXPECT_EQ(wait_end(id).state, State::kSucceeded);
    return;
  }
  const auto end = wait_end(id);
  EXPECT_EQ(end.state, State::kFailed) << end.message;
  ASSERT_TRUE(end.error);
  EXPECT_TRUE(end.error->code == "stage.deadline" || end.error->code == GetParam().late) << end.error->code;
  EXPECT_EQ(end.serving, 1);
  wait_free();
  EXPECT_FALSE(container("shop-2-1"));
  EXPECT_TRUE(container("shop-1-1")->running);
}

INSTANTIATE_TEST_SUITE_P(EveryStage, LateAt, ::testing::ValuesIn(kHeldStages),
                         [](const auto& one) { return one.param.stage; });

}  // namespace
}  // namespace slipway::deployment_manager
