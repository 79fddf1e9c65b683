#include "systems/deployment_manager/machine_keeper.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "messages/service_event.hpp"
#include "tests/fakes/fake_archives.hpp"
#include "tests/fakes/fake_bus.hpp"
#include "tests/fakes/fake_engine.hpp"
#include "tests/fakes/fake_repository.hpp"

namespace slipway::deployment_manager {
namespace {

using namespace std::chrono_literals;

constexpr const char* kEndpoint = "unix:///var/run/docker.sock";

// Deployers beside each other, each with a keeper of the machines.
class KeepingMachines : public ::testing::Test {
 protected:
  struct Deployer {
    Deployer(KeepingMachines& site, Settings settings)
        : world{site.bus_,   site.repository_, site.engines_,      site.archives_,
                site.clock_, Log::silent(),    messages::Topics{}, std::move(settings)} {}
    World world;
    SampleWatch samples{world};
    AgentKeeper agents{world, samples};
    MachineKeeper machines{world, agents};
  };

  KeepingMachines() {
    EXPECT_TRUE(bus_.ensure_topics(topics_.all()));
    engine().add_image({.id = "sha256:agent", .tags = {"slipway/agent:1"}});
    EXPECT_TRUE(repository_.machines().put({{.name = "edge-1", .docker = kEndpoint}}));
  }
  fakes::FakeEngine& engine() { return engines_.at(kEndpoint); }

  std::unique_ptr<Deployer> deployer(const std::string& owner) {
    Settings settings;
    settings.owner = owner;
    settings.reconcile_period = 1s;
    settings.agents["amd64"] = {"agent.tar", "slipway/agent:1", "0.1.0", "0123456789abcdef"};
    return std::make_unique<Deployer>(*this, std::move(settings));
  }
  std::string holder() {
    const auto lease = repository_.leases().find("machine/edge-1").value();
    return lease ? lease->holder : "";
  }
  std::ptrdiff_t told(const std::string& event) {
    const auto records = bus_.records(topics_.service_events);
    return std::ranges::count_if(records, [&](const auto& record) {
      return messages::parse_service_event(*record.value)->event == event;
    });
  }
  template <class Condition>
  bool wait_until(Condition condition) {
    const auto until = clock_.mono() + 10s;
    while (!condition()) {
      if (clock_.mono() > until) return false;
      clock_.sleep(5ms, {});
    }
    return true;
  }

  SystemClock clock_;
  messages::Topics topics_;
  fakes::FakeBus bus_;
  fakes::FakeRepository repository_;
  fakes::FakeEngines engines_;
  fakes::FakeArchives archives_;
};

TEST_F(KeepingMachines, a_machine_is_watched_by_one_of_two_so_a_death_is_told_once) {
  const auto first = deployer("dm-1");
  ASSERT_TRUE(wait_until([&] { return holder() == "dm-1" && engine().watchers() == 1; }));
  const auto second = deployer("dm-2");
  const auto add = [&](const std::string& name) {
    return engine().add_container({.name = name,
                                   .labels = {{"slipway.instance", "default"},
                                              {"slipway.role", "service"},
                                              {"slipway.service", "shop"},
                                              {"slipway.release", "1"}},
                                   .state = "running",
                                   .running = true});
  };
  ASSERT_TRUE(repository_.lanes().enqueue("shop", "r-1"));  // known, and left to its deployment
  ASSERT_TRUE(repository_.lanes().take("shop", "r-1", "dm-1").value());
  engine().die(add("shop-1-1"), 3);
  ASSERT_TRUE(wait_until([&] { return told("died") == 1; }));
  // The second one has looked for machines by now: had it watched, it would have told the next death too.
  ASSERT_TRUE(wait_until([&] { return repository_.leases().find("machine/edge-1").value()->beat >= 1; }));
  engine().die(add("shop-1-2"), 3);
  ASSERT_TRUE(wait_until([&] { return told("died") >= 2; }));
  EXPECT_EQ(told("died"), 2);
  EXPECT_EQ(engine().watchers(), 1U);
}

TEST_F(KeepingMachines, the_other_goes_on_when_the_first_one_ends) {
  auto first = deployer("dm-1");
  ASSERT_TRUE(wait_until([&] { return (*engine().inspect("slipway-agent")).has_value(); }));
  const auto second = deployer("dm-2");
  first.reset();
  ASSERT_TRUE(wait_until([&] { return holder() == "dm-2"; }));
  ASSERT_TRUE(engine().remove("slipway-agent", true));
  EXPECT_TRUE(wait_until([&] { return (*engine().inspect("slipway-agent")).has_value(); }));
}

}  // namespace
}  // namespace slipway::deployment_manager
