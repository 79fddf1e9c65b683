#include "systems/deployment_manager/orphans.hpp"

#include <gtest/gtest.h>

#include "tests/fakes/fake_archives.hpp"
#include "tests/fakes/fake_bus.hpp"
#include "tests/fakes/fake_engine.hpp"
#include "tests/fakes/fake_repository.hpp"

namespace slipway::deployment_manager {
namespace {

using namespace std::chrono_literals;

class OrphansTest : public ::testing::Test {
 protected:
  std::string add(const std::string& name, std::map<std::string, std::string> labels, bool running = false) {
    return engine_->add_container({.name = name,
                                   .labels = std::move(labels),
                                   .state = running ? "running" : "exited",
                                   .running = running});
  }
  bool there(const std::string& id) { return engine_->inspect(id)->has_value(); }
  void sweep_after(std::chrono::seconds pause) {
    clock_.advance(pause);
    const auto done = orphans_.sweep(machine_);
    EXPECT_TRUE(done) << to_string(done.error());
  }

  ManualClock clock_;
  fakes::FakeBus bus_;
  fakes::FakeRepository repository_;
  fakes::FakeEngines engines_;
  fakes::FakeArchives archives_;
  std::shared_ptr<fakes::FakeEngine> engine_ = std::make_shared<fakes::FakeEngine>(&clock_);
  MachineEngine machine_{{.name = "edge-1"}, engine_};
  World world_{bus_, repository_, engines_, archives_, clock_, Log::silent(), messages::Topics{}, Settings{}};
  Orphans orphans_{world_};
};

const std::map<std::string, std::string> kProbe{{"slipway.instance", "default"}, {"slipway.role", "probe"}};
const std::map<std::string, std::string> kAgent{{"slipway.instance", "default"}, {"slipway.role", "agent"}};
const std::map<std::string, std::string> kBuild{{"slipway.build", "default"}};

TEST_F(OrphansTest, a_probe_that_stays_is_removed_and_a_young_one_is_not) {
  const auto left = add("probe-1", kProbe, true);
  sweep_after(0s);
  sweep_after(world_.settings.orphan_patience - 1s);
  EXPECT_TRUE(there(left));
  const auto young = add("probe-2", kProbe, true);
  sweep_after(2s);
  EXPECT_FALSE(there(left));
  EXPECT_TRUE(there(young));
}

TEST_F(OrphansTest, only_the_agent_of_the_right_name_may_be_there) {
  const auto agent = add("slipway-agent", kAgent, true);
  const auto second = add("renamed-by-hand", kAgent, true);
  sweep_after(0s);
  EXPECT_TRUE(there(agent));
  EXPECT_FALSE(there(second));
}

TEST_F(OrphansTest, an_ended_step_of_a_build_goes_but_a_running_one_may_take_as_long_as_a_build) {
  const auto ended = add("step-1", kBuild);
  const auto running = add("step-2", kBuild, true);
  sweep_after(0s);
  sweep_after(301s);
  EXPECT_FALSE(there(ended));
  EXPECT_TRUE(there(running));
  sweep_after(20min);
  EXPECT_FALSE(there(running));
}

TEST_F(OrphansTest, what_is_not_ours_or_has_a_role_is_left_alone) {
  const std::vector<std::string> kept{
      add("foreign", {}), add("others-probe", {{"slipway.instance", "other"}, {"slipway.role", "probe"}}),
      add("others-step", {{"slipway.build", "other"}}),
      add("service",
          {{"slipway.instance", "default"}, {"slipway.role", "service"}, {"slipway.build", "default"}}),
      add("by-hand", {{"slipway.instance", "default"}, {"slipway.build", "0f3a"}})};
  sweep_after(0s);
  sweep_after(24h);
  for (const auto& id : kept) EXPECT_TRUE(there(id));
}

TEST_F(OrphansTest, one_that_came_back_is_counted_anew) {
  const auto probe = add("probe-1", kProbe);
  sweep_after(0s);
  sweep_after(200s);
  ASSERT_TRUE(engine_->remove(probe, true));
  sweep_after(50s);
  const auto again = add("probe-1", kProbe);
  sweep_after(60s);
  EXPECT_TRUE(there(again));
}

}  // namespace
}  // namespace slipway::deployment_manager
