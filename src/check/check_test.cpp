#include "check/check.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "ports/stores/columns.hpp"
#include "tests/fakes/fake_bus.hpp"
#include "tests/fakes/fake_engine.hpp"
#include "tests/fakes/fake_repository.hpp"

namespace slipway::check {
namespace {

using messages::Stage;
using messages::State;
using testing::HasSubstr;

/// Its pause is over at once; what happens meanwhile is told by `between`.
class ShortPause final : public Clock {
 public:
  WallTime now() const override { return clock_.now(); }
  MonoTime mono() const override { return clock_.mono(); }
  bool sleep(std::chrono::nanoseconds, const std::stop_token& stop) override {
    ++pauses;
    if (between) between();
    return !stop.stop_requested();
  }
  std::function<void()> between;
  int pauses = 0;

 private:
  SystemClock clock_;
};

messages::DeploymentStatus status_of(const std::string& request, std::int64_t seq, Stage stage,
                                     bool final = false) {
  messages::DeploymentStatus status;
  status.request_id = request;
  status.service_id = "shop";
  status.seq = seq;
  status.stage = stage;
  status.state = final ? State::kSucceeded : State::kRunning;
  status.final = final;
  return status;
}

/// A world in memory in which `shop` was deployed once, as all systems would have left it.
class CheckTest : public testing::Test {
 protected:
  CheckTest() {
    EXPECT_TRUE(bus.ensure_topics(sources.topics.all()));
    add_machine("edge-1");
    add_samples("edge-1", {1, 2, 3});
    deploy();
  }
  void add_machine(const std::string& name) {
    messages::Machine machine{.name = name, .docker = "tcp://" + name};
    machine.state = messages::MachineStateReport{.machine = name, .state = messages::MachineState::kUp};
    EXPECT_TRUE(repository.machines().put({machine}));
    agents[name] = engines.at("tcp://" + name)
                       .add_container({.name = "slipway-agent",
                                       .labels = {{"slipway.instance", "default"}, {"slipway.role", "agent"}},
                                       .state = "running",
                                       .running = true});
  }
  void add_samples(const std::string& machine, const std::vector<std::int64_t>& numbers) {
    ports::Columns columns;
    for (const auto number : numbers) columns.add_row("boot", number, to_ms(clock.now()) - 4'000 + number);
    ports::MinuteDocument minute{.machine = machine};
    minute.minute = to_ms(clock.now()) / 60'000 * 60'000;
    minute.reach = {"cluster", 0, numbers.back()};
    minute.columns = columns.encode();
    EXPECT_TRUE(repository.samples().write({minute}));
  }
  void tell(const messages::DeploymentStatus& status) {
    ports::Outgoing record;
    record.topic = sources.topics.deployment_status;
    record.key = status.request_id;
    record.value = messages::to_json(status);
    EXPECT_TRUE(bus.publish(record));
  }
  /// Its document, and what Kafka heard of it.
  void write_down(const std::string& request, const std::vector<messages::DeploymentStatus>& stages) {
    ports::Deployment deployment;
    deployment.request_id = request;
    deployment.service_id = "shop";
    deployment.created_at = clock.now();
    EXPECT_TRUE(repository.deployments().insert(deployment));
    for (const auto& stage : stages) {
      EXPECT_TRUE(*repository.deployments().append(request, 1, stage));
      tell(stage);
    }
    EXPECT_TRUE(repository.deployments().mark_published(request, static_cast<std::int64_t>(stages.size())));
  }
  void deploy() {
    write_down("r-1", {status_of("r-1", 1, Stage::kAccepted), status_of("r-1", 2, Stage::kDone, true)});
    auto& lanes = repository.lanes();
    EXPECT_TRUE(lanes.enqueue("shop", "r-1"));
    const auto lane = lanes.take("shop", "r-1", "me");
    ASSERT_TRUE(lane && *lane);
    EXPECT_TRUE(*lanes.cut_over("shop", "r-1", (*lane)->epoch, {.committed = 1, .machines = {"edge-1"}}));
    EXPECT_TRUE(*lanes.release_lane("shop", "r-1", (*lane)->epoch));
    ports::Release release;
    release.service_id = "shop";
    release.number = 1;
    release.image = "shop:1";
    release.machine = "edge-1";
    EXPECT_TRUE(repository.releases().put(release));
    edge().add_image({.id = "sha256:1", .tags = {"shop:1"}});
    run_shop();
  }
  void run_shop() {
    container = edge().add_container({.name = "shop-1-1",
                                      .labels = {{"slipway.instance", "default"},
                                                 {"slipway.role", "service"},
                                                 {"slipway.service", "shop"},
                                                 {"slipway.release", "1"}},
                                      .state = "running",
                                      .running = true});
    EXPECT_TRUE(repository.instances().put({.service_id = "shop",
                                            .release = 1,
                                            .machine = "edge-1",
                                            .container_id = container,
                                            .container_name = "shop-1-1",
                                            .state = "running"}));
  }
  void add_stray() {
    edge().add_container({.name = "stray", .labels = {{"slipway.instance", "default"}}, .state = "exited"});
  }
  fakes::FakeEngine& edge() { return engines.at("tcp://edge-1"); }

  Report look() {
    auto report = check(sources, milliseconds{5'000}, stop.get_token());
    if (report) return *report;
    ADD_FAILURE() << to_string(report.error());
    return {};
  }
  std::vector<std::string> findings() {
    std::vector<std::string> names;
    for (const auto& finding : look().findings) names.push_back(finding.code + " " + finding.where);
    return names;
  }

  ShortPause clock;
  fakes::FakeBus bus{clock};
  fakes::FakeRepository repository{clock};
  fakes::FakeEngines engines{&clock};
  Sources sources{repository, bus, engines, clock, messages::Topics{}, "default"};
  std::stop_source stop;
  std::map<std::string, std::string> agents;
  std::string container;
};

using testing::ElementsAre;
using testing::UnorderedElementsAre;

TEST_F(CheckTest, looks_once_where_all_is_well) {
  const int writes = repository.writes();
  const auto report = look();
  EXPECT_TRUE(report.findings.empty());
  EXPECT_EQ(clock.pauses, 0);
  EXPECT_EQ(report.services, 1U);
  EXPECT_EQ(report.deployments, 1U);
  EXPECT_EQ(report.machines, 1U);
  EXPECT_EQ(report.containers, 2U);
  EXPECT_EQ(report.messages, 2U);
  EXPECT_EQ(repository.writes(), writes) << "a check changes nothing";
}

TEST_F(CheckTest, names_what_stays_wrong_and_not_what_is_healed_meanwhile) {
  ASSERT_TRUE(edge().remove(container, true));
  add_stray();
  clock.between = [&] { run_shop(); };
  EXPECT_THAT(findings(), ElementsAre("container.unknown edge-1/stray"));
  EXPECT_EQ(clock.pauses, 1);
}

TEST_F(CheckTest, names_a_container_that_was_removed_behind_its_back) {
  ASSERT_TRUE(edge().remove(container, true));
  EXPECT_THAT(findings(), UnorderedElementsAre("container.missing edge-1/shop",
                                               "instance.gone instance shop-1-1@edge-1"));
}

TEST_F(CheckTest, does_not_name_what_goes_wrong_between_the_looks) {
  add_stray();
  clock.between = [&] { ASSERT_TRUE(edge().remove("stray", true) && edge().remove(container, true)); };
  EXPECT_THAT(findings(), ElementsAre());
}

TEST_F(CheckTest, leaves_a_deployment_under_way_alone) {
  write_down("r-2", {status_of("r-2", 1, Stage::kAccepted)});
  ASSERT_TRUE(repository.lanes().enqueue("shop", "r-2"));
  ASSERT_TRUE(edge().remove(container, true));
  EXPECT_THAT(findings(), ElementsAre());
  ASSERT_TRUE(*repository.lanes().unqueue("shop", "r-2"));
  run_shop();
  EXPECT_THAT(findings(), ElementsAre("deployment.lost deployment r-2 of shop"));
}

TEST_F(CheckTest, compares_the_status_topic_with_the_documents) {
  tell(status_of("r-1", 1, Stage::kAccepted));  // said twice
  tell(status_of("r-7", 1, Stage::kAccepted));  // of nobody
  bus.put_plain(sources.topics.deployment_status, "noise");
  EXPECT_THAT(findings(), ElementsAre("deployment.unknown deployment r-7"));
  tell(status_of("r-1", 3, Stage::kDone, true));
  EXPECT_THAT(findings(), UnorderedElementsAre("deployment.unknown deployment r-7",
                                               "deployment.messages deployment r-1 of shop"));
}

TEST_F(CheckTest, finds_the_hole_in_the_stored_samples) {
  add_samples("edge-1", {1, 2, 4});
  EXPECT_THAT(findings(), ElementsAre("samples.hole machine edge-1"));
}

TEST_F(CheckTest, asks_the_engine_for_images_volumes_and_what_a_list_does_not_say) {
  ASSERT_TRUE(
      edge().create_volume("old.data", {{"slipway.instance", "default"}, {"slipway.service", "old"}}));
  ASSERT_TRUE(edge().create_volume("theirs", {{"slipway.instance", "another"}}));
  auto release = *repository.releases().find("shop@000001");
  ASSERT_TRUE(release);
  release->image = "shop:gone";
  ASSERT_TRUE(repository.releases().put(*release));
  EXPECT_THAT(findings(), UnorderedElementsAre("image.missing service shop on edge-1",
                                               "volume.unknown edge-1, volume old.data"));
}

TEST_F(CheckTest, goes_on_where_one_engine_is_silent) {
  add_machine("edge-2");
  add_samples("edge-2", {5, 6});
  EXPECT_THAT(findings(), ElementsAre());
  engines.at("tcp://edge-2").set_down(true);
  add_stray();
  EXPECT_THAT(findings(),
              UnorderedElementsAre("machine.unseen machine edge-2", "container.unknown edge-1/stray"));
}

TEST_F(CheckTest, says_nothing_of_a_world_that_it_cannot_read) {
  bus.set_down(true);
  EXPECT_EQ(check(sources, milliseconds{1}, stop.get_token()).error().kind, ErrorKind::kUnavailable);
  bus.set_down(false);
  repository.set_down(true);
  EXPECT_EQ(check(sources, milliseconds{1}, stop.get_token()).error().kind, ErrorKind::kUnavailable);
  repository.set_down(false);
  add_stray();
  stop.request_stop();
  EXPECT_EQ(check(sources, milliseconds{1}, stop.get_token()).error().code, "server.stopping");
}

}  // namespace
}  // namespace slipway::check
