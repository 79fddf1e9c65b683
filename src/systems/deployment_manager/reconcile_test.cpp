#include "systems/deployment_manager/reconcile.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "messages/service_event.hpp"
#include "systems/deployment_manager/drift.hpp"
#include "tests/fakes/fake_archives.hpp"
#include "tests/fakes/fake_bus.hpp"
#include "tests/fakes/fake_engine.hpp"
#include "tests/fakes/fake_repository.hpp"

namespace slipway::deployment_manager {
namespace {

using testing::HasSubstr;

Settings settings() {
  Settings out;
  out.agents["amd64"] = {"agent.tar", "slipway/agent:1", "0.1.0", "0123456789abcdef"};
  return out;
}

// One machine and one look at it at a time.
class Reconciling : public ::testing::Test {
 protected:
  Reconciling() {
    EXPECT_TRUE(bus_.ensure_topics(world_.topics.all()));
    engine_->add_image({.id = "sha256:agent", .tags = {"slipway/agent:1"}});
  }

  // A service whose release 1 serves here, its lane free.
  void commit(const std::string& service) {
    auto& lanes = repository_.lanes();
    ASSERT_TRUE(lanes.enqueue(service, "r-1"));
    const auto lane = lanes.take(service, "r-1", "dm-1");
    ASSERT_TRUE(lane && *lane);
    ASSERT_TRUE(lanes.cut_over(service, "r-1", (*lane)->epoch,
                               {.committed = 1, .previous = {}, .machines = {"edge-1"}}));
    ASSERT_TRUE(lanes.release_lane(service, "r-1", (*lane)->epoch));
  }
  std::string add_container(const std::string& service) {
    return engine_->add_container({.name = service + "-1-1",
                                   .labels = {{"slipway.instance", "default"},
                                              {"slipway.role", "service"},
                                              {"slipway.service", service},
                                              {"slipway.release", "1"},
                                              {"slipway.restart", "always"},
                                              {"slipway.limits", encode_limits(limits_)}},
                                   .state = "running",
                                   .running = true,
                                   .restart = "always",
                                   .limits = limits_});
  }
  Status reconcile() { return reconciler_.reconcile(machine_, {}); }
  ports::Container container(const std::string& id) {
    return (*engine_->inspect(id)).value_or(ports::Container{});
  }
  std::vector<messages::ServiceEvent> events() {
    std::vector<messages::ServiceEvent> out;
    for (const auto& record : bus_.records(world_.topics.service_events))
      out.push_back(messages::parse_service_event(*record.value).value());
    return out;
  }

  const ports::Limits limits_{256LL << 20, 1'000'000'000, 256};
  SystemClock clock_;
  fakes::FakeBus bus_;
  fakes::FakeRepository repository_;
  fakes::FakeEngines engines_;
  fakes::FakeArchives archives_;
  std::shared_ptr<fakes::FakeEngine> engine_ = std::make_shared<fakes::FakeEngine>();
  MachineEngine machine_{{.name = "edge-1"}, engine_};
  World world_{bus_, repository_, engines_, archives_, clock_, Log::silent(), messages::Topics{}, settings()};
  SampleWatch samples_{world_};
  AgentKeeper agents_{world_, samples_};
  Reconciler reconciler_{world_, agents_};
};

TEST_F(Reconciling, changes_back_what_was_changed_by_hand_and_says_so) {
  commit("shop");
  const auto id = add_container("shop");
  ASSERT_TRUE(reconcile());
  EXPECT_EQ(engine_->count("set_limits"), 0U);
  EXPECT_TRUE(events().empty());

  engine_->pause(id);
  ASSERT_TRUE(engine_->set_restart_policy(id, "no"));
  ASSERT_TRUE(engine_->set_limits(id, {1, 2, 3}));
  ASSERT_TRUE(reconcile());
  EXPECT_EQ(container(id).state, "running");
  EXPECT_EQ(container(id).restart, "always");
  EXPECT_EQ(container(id).limits, limits_);
  ASSERT_EQ(bus_.wait_for_count(world_.topics.service_events, 1).size(), 1U);
  EXPECT_EQ(events()[0].event, "drift");
  EXPECT_THAT(events()[0].message, HasSubstr("its restart policy was no"));
}

TEST_F(Reconciling, leaves_a_service_to_its_deployment) {
  commit("shop");
  const auto id = add_container("shop");
  ASSERT_TRUE(repository_.lanes().enqueue("shop", "r-2"));
  ASSERT_TRUE(repository_.lanes().take("shop", "r-2", "dm-1"));
  ASSERT_TRUE(engine_->set_restart_policy(id, "no"));
  ASSERT_TRUE(reconcile());
  EXPECT_EQ(container(id).restart, "no");
}

TEST_F(Reconciling, removes_the_containers_of_a_service_that_nobody_knows) {
  commit("shop");
  const auto known = add_container("shop"), unknown = add_container("stranger");
  ASSERT_TRUE(reconcile());
  EXPECT_EQ(container(known).id, known);
  EXPECT_TRUE(container(unknown).id.empty());
}

TEST_F(Reconciling, removes_nothing_when_the_repository_knows_no_service_at_all) {
  const auto id = add_container("shop");
  const auto probe = engine_->add_container(
      {.name = "probe", .labels = {{"slipway.instance", "default"}, {"slipway.role", "probe"}}});
  world_.settings.orphan_patience = std::chrono::seconds{0};
  const auto done = reconcile();
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, "repository.empty");
  EXPECT_TRUE(container(id).running);
  EXPECT_EQ(container(probe).id, probe);
}

}  // namespace
}  // namespace slipway::deployment_manager
