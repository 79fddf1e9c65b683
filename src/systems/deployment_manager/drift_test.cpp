#include "systems/deployment_manager/drift.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/fakes/fake_engine.hpp"

namespace slipway::deployment_manager {
namespace {

using testing::HasSubstr;

const ports::Limits kLimits{256LL << 20, 1'000'000'000, 256};

ports::Container as_made(const std::string& policy = "always") {
  return {.id = "1",
          .name = "shop-1-1",
          .labels = {{"slipway.restart", policy}, {"slipway.limits", encode_limits(kLimits)}},
          .state = "running",
          .running = true,
          .restart = policy,
          .limits = kLimits};
}

TEST(Limits, come_back_from_their_label) {
  EXPECT_EQ(decode_limits(encode_limits(kLimits)), kLimits);
  for (const char* wrong :
       {"", "memory=1", "memory=1 pids=2 nano_cpus=x", "memory=1 pids=2 nano_cpus=99999999999999999999",
        "a b c", "memory=1 pids= nano_cpus=1", "memory=1 memory=1 memory"})
    EXPECT_FALSE(decode_limits(wrong)) << wrong;
}

TEST(Drift, is_none_in_what_is_as_it_was_made) {
  EXPECT_FALSE(find_drift(as_made()).any());
  auto on_failure = as_made("on-failure");
  on_failure.restart = "on-failure:0";  // as an Engine says it
  EXPECT_FALSE(find_drift(on_failure).any());
}

TEST(Drift, is_none_in_what_was_made_before_there_were_labels) {
  auto old = as_made();
  old.labels.clear();
  old.limits = {1, 2, 3};
  old.restart = "no";
  EXPECT_FALSE(find_drift(old).any());
}

TEST(Drift, names_each_change_and_what_it_was) {
  auto changed = as_made();
  changed.state = "paused";
  changed.restart = "no";
  changed.limits.memory *= 2;
  const auto drift = find_drift(changed);
  EXPECT_TRUE(drift.paused);
  EXPECT_EQ(drift.policy, "always");
  EXPECT_EQ(drift.limits, kLimits);
  EXPECT_THAT(drift.words, HasSubstr("paused"));
  EXPECT_THAT(drift.words, HasSubstr("its restart policy was no, not always"));
  EXPECT_THAT(drift.words, HasSubstr("memory=536870912"));
}

TEST(Drift, is_mended_by_what_was_changed_and_nothing_else) {
  fakes::FakeEngine engine;
  auto changed = as_made();
  changed.limits.pids = 7;
  const auto id = engine.add_container(changed);
  ASSERT_TRUE(mend_drift(engine, id, find_drift(changed)));
  EXPECT_EQ((*engine.inspect(id))->limits, kLimits);
  EXPECT_EQ(engine.count("set_restart_policy"), 0U);
  EXPECT_EQ(engine.count("unpause"), 0U);
}

}  // namespace
}  // namespace slipway::deployment_manager
