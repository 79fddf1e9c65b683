#include "check/rules.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

namespace slipway::check {
namespace {

using messages::Stage;
using messages::State;
using ports::Wanted;

const WallTime kNow = from_ms(1'795'000'000'000);

messages::DeploymentStatus stage(std::int64_t seq, Stage name, State state, bool final = false) {
  messages::DeploymentStatus status;
  status.request_id = "r-1";
  status.service_id = "shop";
  status.seq = seq;
  status.stage = name;
  status.state = state;
  status.final = final;
  return status;
}

ports::Deployment ended() {
  ports::Deployment deployment;
  deployment.request_id = "r-1";
  deployment.service_id = "shop";
  deployment.stages = {stage(1, Stage::kAccepted, State::kSucceeded),
                       stage(2, Stage::kBuilt, State::kSucceeded),
                       stage(3, Stage::kDone, State::kSucceeded, true)};
  deployment.published = 3;
  deployment.end = State::kSucceeded;
  deployment.open = false;
  deployment.created_at = kNow;
  return deployment;
}

ports::Container container(const std::string& name, std::map<std::string, std::string> labels) {
  labels.emplace("slipway.instance", "default");
  return {.id = "id-" + name,
          .name = name,
          .labels = std::move(labels),
          .state = "running",
          .running = true,
          .restart = "always",
          .limits = {256, 1'000, 64}};
}

ports::Container of_shop(const std::string& release) {
  return container("shop-" + release + "-1", {{"slipway.role", "service"},
                                              {"slipway.service", "shop"},
                                              {"slipway.release", release},
                                              {"slipway.restart", "always"},
                                              {"slipway.limits", "memory=256 nano_cpus=1000 pids=64"}});
}

ports::Release release(std::int64_t number) {
  ports::Release made;
  made.service_id = "shop";
  made.number = number;
  made.image = "slipway/shop:" + std::to_string(number);
  made.machine = "edge-1";
  return made;
}

MachineLook machine() {
  MachineLook look;
  look.machine.name = "edge-1";
  look.machine.state =
      messages::MachineStateReport{.machine = "edge-1", .state = messages::MachineState::kUp};
  look.containers = {container("slipway-agent", {{"slipway.role", "agent"}}), of_shop("2")};
  look.volumes = {{"shop.data", {{"slipway.service", "shop"}}}};
  look.samples = {.newest = kNow - milliseconds{15'000}, .numbers = {{"boot", {7, 8, 9}}}};
  return look;
}

/// One machine on which release 2 of `shop` serves, by a deployment that has ended.
Snapshot all_well() {
  Snapshot world;
  world.at = kNow;
  world.deployments.emplace("r-1", ended());
  for (const auto& status : ended().stages)
    world.told["r-1"].insert({status.seq, status.stage, status.state, status.final});
  ports::Lane lane;
  lane.service_id = "shop";
  lane.committed = 2;
  lane.previous = 1;
  lane.wanted = Wanted::kRunning;
  lane.machines = {"edge-1"};
  world.lanes = {lane};
  world.releases = {{release(1).id(), release(1)}, {release(2).id(), release(2)}};
  world.instances = {{.service_id = "shop",
                      .release = 2,
                      .machine = "edge-1",
                      .container_id = "id-shop-2-1",
                      .container_name = "shop-2-1",
                      .state = "running"}};
  world.machines = {machine()};
  return world;
}

/// One thing that is wrong, and what must be said of it.
struct Wrong {
  std::string name;
  std::function<void(Snapshot&)> make;
  std::string code;
  std::string where;
};

ports::Deployment& deployment(Snapshot& world) {
  return world.deployments.at("r-1");
}
MachineLook& edge(Snapshot& world) {
  return world.machines.front();
}
ports::Container& serving(Snapshot& world) {
  return edge(world).containers.at(1);
}
ports::Lane& lane(Snapshot& world) {
  return world.lanes.front();
}

/// Its stages alone are wrong.
std::function<void(Snapshot&)> stages(const std::function<void(ports::Deployment&)>& spoil) {
  return [spoil](Snapshot& world) {
    spoil(deployment(world));
    deployment(world).published = static_cast<std::int64_t>(deployment(world).stages.size());
    world.told_since = kNow + milliseconds{1};
  };
}

void lose_end(Snapshot& world) {
  deployment(world).end.reset();
  deployment(world).open = true;
}

const std::string kDeployment = "deployment r-1 of shop";
const std::string kContainer = "edge-1/shop-2-1";

const std::vector<Wrong>& wrongs() {
  static const std::vector<Wrong> all{
      {"lost", lose_end, "deployment.lost", kDeployment},
      {"no_final", stages([](auto& d) { d.stages.back().final = false; }), "deployment.stages", kDeployment},
      {"two_finals", stages([](auto& d) { d.stages[1].final = true; }), "deployment.stages", kDeployment},
      {"early_final", stages([](auto& d) { std::swap(d.stages[1].final, d.stages[2].final); }),
       "deployment.stages", kDeployment},
      {"no_stage", stages([](auto& d) { d.stages.clear(); }), "deployment.stages", kDeployment},
      {"hole_in_stages", stages([](auto& d) { d.stages.erase(d.stages.begin() + 1); }), "deployment.stages",
       kDeployment},
      {"another_end", stages([](auto& d) { d.end = State::kFailed; }), "deployment.stages", kDeployment},
      {"open", [](Snapshot& w) { deployment(w).open = true; }, "deployment.open", kDeployment},
      {"unpublished", [](Snapshot& w) { deployment(w).published = 2; }, "deployment.unpublished",
       kDeployment},
      {"hole_on_kafka", [](Snapshot& w) { w.told["r-1"].erase(*w.told["r-1"].begin()); },
       "deployment.messages", kDeployment},
      {"nothing_on_kafka", [](Snapshot& w) { w.told.clear(); }, "deployment.messages", kDeployment},
      {"more_on_kafka", [](Snapshot& w) { w.told["r-1"].insert({4, Stage::kDone, State::kSucceeded, true}); },
       "deployment.messages", kDeployment},
      {"another_story_on_kafka",
       [](Snapshot& w) { w.told["r-1"].insert({2, Stage::kBuilt, State::kFailed, false}); },
       "deployment.messages", kDeployment},
      {"no_document", [](Snapshot& w) { w.told_without_document = {"r-9"}; }, "deployment.unknown",
       "deployment r-9"},
      {"stuck_lane",
       [](Snapshot& w) {
         lane(w).active = "r-1";
         w.held = {"r-1"};
         w.busy = {"shop"};
       },
       "lane.stuck", "service shop, request r-1"},
      {"queue_of_nothing",
       [](Snapshot& w) {
         lane(w).queue = {"r-8"};
         w.held = {"r-8"};
         w.busy = {"shop"};
       },
       "lane.stuck", "service shop, request r-8"},
      {"removed_machine", [](Snapshot& w) { lane(w).machines.emplace_back("edge-9"); }, "lane.machine",
       "service shop"},
      {"nothing_runs",
       [](Snapshot& w) {
         edge(w).containers.pop_back();
         w.instances.clear();
       },
       "container.missing", "edge-1/shop"},
      {"instance_of_nothing",
       [](Snapshot& w) {
         w.instances.push_back(w.instances.front());
         w.instances.back().release = 1;
         w.instances.back().container_id = "gone";
       },
       "instance.gone", "instance shop-1-1@edge-1"},
      {"stopped",
       [](Snapshot& w) {
         serving(w).running = false;
         serving(w).state = "exited";
       },
       "container.stopped", kContainer},
      {"paused", [](Snapshot& w) { serving(w).state = "paused"; }, "container.changed", kContainer},
      {"policy", [](Snapshot& w) { serving(w).restart = "no"; }, "container.changed", kContainer},
      {"limits", [](Snapshot& w) { serving(w).limits.memory = 1; }, "container.changed", kContainer},
      {"no_instance", [](Snapshot& w) { w.instances.clear(); }, "instance.missing", kContainer},
      {"another_instance", [](Snapshot& w) { w.instances.front().state = "stopped"; }, "instance.wrong",
       kContainer},
      {"old_one_is_left", [](Snapshot& w) { edge(w).containers.push_back(of_shop("1")); },
       "container.unwanted", "edge-1/shop-1-1"},
      {"twin",
       [](Snapshot& w) {
         auto twin = of_shop("2");
         twin.name = "twin";
         edge(w).containers.push_back(twin);
       },
       "container.unwanted", "edge-1/twin"},
      {"not_here",
       [](Snapshot& w) {
         lane(w).machines.clear();
         lane(w).wanted = Wanted::kRemoved;
       },
       "container.unwanted", kContainer},
      {"not_stopped", [](Snapshot& w) { lane(w).wanted = Wanted::kStopped; }, "container.running",
       kContainer},
      {"stray", [](Snapshot& w) { edge(w).containers.push_back(container("stray", {})); },
       "container.unknown", "edge-1/stray"},
      {"probe_left",
       [](Snapshot& w) { edge(w).containers.push_back(container("probe", {{"slipway.role", "probe"}})); },
       "container.unknown", "edge-1/probe"},
      {"of_an_unknown_service",
       [](Snapshot& w) {
         edge(w).containers.push_back(
             container("x-1-1", {{"slipway.role", "service"}, {"slipway.service", "x"}}));
       },
       "container.unknown", "edge-1/x-1-1"},
      {"no_agent", [](Snapshot& w) { edge(w).containers.erase(edge(w).containers.begin()); }, "agent.missing",
       "machine edge-1"},
      {"agent_stopped", [](Snapshot& w) { edge(w).containers.front().running = false; }, "agent.missing",
       "machine edge-1"},
      {"two_agents",
       [](Snapshot& w) { edge(w).containers.push_back(container("again", {{"slipway.role", "agent"}})); },
       "agent.twin", "machine edge-1"},
      {"silent_engine",
       [](Snapshot& w) { edge(w).engine_error = unavailable("engine.unreachable", "refused"); },
       "machine.unseen", "machine edge-1"},
      {"image", [](Snapshot& w) { edge(w).missing_images = {"slipway/shop:2"}; }, "image.missing",
       "service shop on edge-1"},
      {"image_before", [](Snapshot& w) { edge(w).missing_images = {"slipway/shop:1"}; }, "image.no_way_back",
       "service shop on edge-1"},
      {"release_document", [](Snapshot& w) { w.releases.erase(release(1).id()); }, "release.missing",
       "service shop"},
      {"volume", [](Snapshot& w) { edge(w).volumes.push_back({"old.data", {{"slipway.service", "old"}}}); },
       "volume.unknown", "edge-1, volume old.data"},
      {"hole_in_samples", [](Snapshot& w) { edge(w).samples.numbers["boot"] = {7, 9}; }, "samples.hole",
       "machine edge-1"},
      {"samples_twice", [](Snapshot& w) { edge(w).samples.numbers["boot"] = {7, 7, 8}; }, "samples.twice",
       "machine edge-1"},
      {"old_samples", [](Snapshot& w) { edge(w).samples.newest = kNow - milliseconds{61'000}; },
       "samples.late", "machine edge-1"},
      {"no_samples", [](Snapshot& w) { edge(w).samples = {}; }, "samples.late", "machine edge-1"},
  };
  return all;
}

std::string lines(const Findings& findings) {
  std::string text;
  for (const auto& finding : findings)
    text += finding.code + " | " + finding.where + " | " + finding.what + "\n";
  return text;
}

TEST(Rules, find_nothing_where_all_is_well) {
  EXPECT_EQ(lines(check_all(all_well())), "");
}

class EachWrong : public testing::TestWithParam<Wrong> {};

TEST_P(EachWrong, is_found_alone_and_named) {
  Snapshot world = all_well();
  GetParam().make(world);
  const auto findings = check_all(world);
  ASSERT_EQ(findings.size(), 1U) << lines(findings);
  EXPECT_EQ(findings.front().code, GetParam().code);
  EXPECT_EQ(findings.front().where, GetParam().where);
  EXPECT_FALSE(findings.front().what.empty());
  EXPECT_FALSE(findings.front().fix.empty());
}

INSTANTIATE_TEST_SUITE_P(Rules, EachWrong, testing::ValuesIn(wrongs()),
                         [](const auto& wrong) { return wrong.param.name; });

TEST(Rules, leave_alone_what_a_deployment_works_on) {
  Snapshot world = all_well();
  lose_end(world);
  lane(world).active = "r-1";
  world.held = {"r-1"};
  world.busy = {"shop"};
  deployment(world).stages.pop_back();
  deployment(world).published = 1;
  edge(world).containers.push_back(of_shop("3"));
  edge(world).containers.push_back(container("probe", {{"slipway.role", "probe"}}));
  edge(world).missing_images = {"slipway/shop:2"};
  serving(world).running = false;
  EXPECT_EQ(lines(check_all(world)), "");
}

TEST(Rules, allow_a_service_to_end_where_its_own_policy_does) {
  Snapshot world = all_well();
  serving(world).running = false;
  serving(world).state = "exited";
  for (const char* policy : {"no", "on-failure:3"}) {
    serving(world).labels["slipway.restart"] = policy;
    serving(world).exit_code = 1;
    EXPECT_EQ(lines(check_all(world)), "") << policy;
  }
  serving(world).exit_code = 137;  // killed from outside
  EXPECT_EQ(lines(check_all(world)),
            "container.stopped | " + kContainer + " | its service is wanted running, it is exited\n");
}

TEST(Rules, allow_a_stopped_services_container_and_a_removed_services_volume) {
  Snapshot world = all_well();
  lane(world).wanted = Wanted::kStopped;
  serving(world).running = false;
  world.instances.front().state = "stopped";
  EXPECT_EQ(lines(check_all(world)), "");
  lane(world).wanted = Wanted::kRemoved;
  lane(world).machines.clear();
  edge(world).containers.pop_back();
  world.instances.clear();
  edge(world).missing_images = {"slipway/shop:1", "slipway/shop:2"};
  EXPECT_EQ(lines(check_all(world)), "");
}

TEST(Rules, do_not_ask_kafka_for_what_has_left_the_topic) {
  Snapshot world = all_well();
  world.told.clear();
  world.told_since = kNow + milliseconds{1};
  EXPECT_EQ(lines(check_all(world)), "");
}

TEST(Rules, read_a_machines_samples_by_its_own_clock_and_give_it_a_minute) {
  Snapshot world = all_well();
  edge(world).machine.state->clock_offset_ms = -600'000;
  edge(world).samples.newest = kNow - milliseconds{600'000 + 10'000};
  EXPECT_EQ(lines(check_all(world)), "");
  edge(world).samples = {};
  edge(world).machine.state->since = kNow - milliseconds{30'000};
  EXPECT_EQ(lines(check_all(world)), "") << "it has just come up";
  edge(world).machine.state->state = messages::MachineState::kDown;
  edge(world).machine.state->since = {};
  EXPECT_EQ(lines(check_all(world)), "") << "doctor without --check names it";
}

}  // namespace
}  // namespace slipway::check
