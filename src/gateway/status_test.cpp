#include "gateway/status.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "gateway/systems.hpp"

namespace slipway::gateway {
namespace {

using nlohmann::json;

const WallTime kNow = from_ms(1'795'000'000'000);

/// One machine with a fresh sample, one service with a sensor that reports, every group with a member.
Observed all_well() {
  Observed seen;
  seen.started_at = kNow - std::chrono::hours{1};
  for (const System& system : kSystems)
    if (!system.role.empty()) seen.members[std::string(system.role)] = 1;
  messages::Machine machine;
  machine.name = "edge-1";
  seen.documents.machines.push_back(machine);
  LiveMachine live;
  live.sample = messages::MachineSample{};
  live.sample->machine = "edge-1";
  live.sample->containers.push_back({.id = "c1", .cpu = 1.5, .mem = 61'000'000});
  live.sample_at = kNow - milliseconds{900};
  live.state = messages::MachineStateReport{};
  live.state->state = messages::MachineState::kUp;
  seen.machines["edge-1"] = live;

  ports::Service service;
  service.service_id = "boiler-monitor";
  service.state = "running";
  service.serving = 7;
  seen.documents.services.push_back(service);
  ports::Instance instance;
  instance.service_id = "boiler-monitor";
  instance.release = 7;
  instance.machine = "edge-1";
  instance.container_id = "c1";
  instance.state = "running";
  instance.health = "healthy";
  instance.ports = {{8080, "127.0.0.1:49153"}};
  seen.documents.instances.push_back(instance);
  ports::Binding binding;
  binding.service_id = "boiler-monitor";
  binding.needs.push_back({.name = "air", .type = "bme280", .location = {}, .rate = "12/min", .fields = {}});
  binding.topics["air"] = {"sensor.bme280.boiler-7", "boiler-7", "boiler-7", {}};
  seen.documents.bindings.push_back(binding);
  seen.flows["sensor.bme280.boiler-7"] = {10, kNow - milliseconds{4'000}};
  return seen;
}

std::string state_of(const json& status, std::string_view name) {
  for (const json& system : status["systems"])
    if (system["name"] == name) return system["state"];
  return "missing";
}

TEST(Status, says_that_all_is_well_when_it_is) {
  const json status = make_status(all_well(), kNow);
  EXPECT_EQ(status["ok"], true) << status["problems"].dump();
  EXPECT_EQ(status["systems"].size(), 11U);
  for (const json& system : status["systems"]) EXPECT_EQ(system["state"], "up") << system.dump();
  const json& service = status["services"][0];
  EXPECT_EQ(service["name"], "boiler-monitor");
  EXPECT_EQ(service["release"], 7);
  EXPECT_EQ(service["health"], "healthy");
  EXPECT_EQ(service["machine"], "edge-1");
  EXPECT_EQ(service["ports"], (json::array({{{"target", 8080}, {"address", "127.0.0.1:49153"}}})));
  EXPECT_EQ(service["sensors"][0]["state"], "reporting");
  EXPECT_EQ(service["containers"][0]["mem"], 61'000'000);
  EXPECT_EQ(status["machines"][0]["state"], "up");
}

TEST(Status, names_each_role_whose_group_has_no_member) {
  for (const System& system : kSystems) {
    if (system.role.empty()) continue;
    Observed seen = all_well();
    seen.members[std::string(system.role)] = 0;
    const json status = make_status(seen, kNow);
    EXPECT_EQ(state_of(status, system.name), "down");
    EXPECT_EQ(status["problems"].size(), 1U);
    EXPECT_EQ(status["ok"], false);
  }
}

TEST(Status, knows_what_kafka_takes_with_it) {
  Observed seen = all_well();
  seen.kafka = unavailable("kafka.unreachable", "no broker answers");
  const json status = make_status(seen, kNow);
  EXPECT_EQ(state_of(status, "Kafka"), "down");
  EXPECT_EQ(state_of(status, "Scheduler"), "degraded");
  EXPECT_EQ(state_of(status, "Machine Agent"), "degraded");
  EXPECT_EQ(state_of(status, "Repository"), "up");
  EXPECT_EQ(state_of(status, "Docker"), "up");
}

TEST(Status, knows_what_the_repository_takes_with_it) {
  Observed seen = all_well();
  seen.repository = unavailable("repository.unreachable", "no server");
  const json status = make_status(seen, kNow);
  EXPECT_EQ(state_of(status, "Repository"), "down");
  EXPECT_EQ(state_of(status, "Deployment Manager"), "degraded");
  EXPECT_EQ(state_of(status, "Machine Agent"), "up");
}

TEST(Status, never_shows_an_agent_up_whose_samples_are_old) {
  Observed seen = all_well();
  seen.machines["edge-1"].sample_at = kNow - milliseconds{16'000};
  json status = make_status(seen, kNow);
  EXPECT_EQ(state_of(status, "Machine Agent"), "down");
  messages::Machine second;
  second.name = "edge-2";
  seen.documents.machines.push_back(second);
  seen.machines["edge-2"] = all_well().machines["edge-1"];
  status = make_status(seen, kNow);
  EXPECT_EQ(state_of(status, "Machine Agent"), "degraded");
  EXPECT_NE(status["problems"][0].get<std::string>().find("edge-1"), std::string::npos);
}

TEST(Status, takes_the_heart_beat_managers_word_while_it_is_young_itself) {
  Observed seen = all_well();
  seen.machines["edge-1"].sample.reset();
  seen.started_at = kNow - milliseconds{3'000};
  EXPECT_EQ(state_of(make_status(seen, kNow), "Machine Agent"), "up");
}

TEST(Status, names_docker_by_the_gateways_look_the_node_manager_and_the_heart_beat) {
  Observed seen = all_well();
  seen.engine_errors["edge-1"] = "connection refused";
  EXPECT_EQ(state_of(make_status(seen, kNow), "Docker"), "down");
  seen = all_well();
  seen.documents.machines[0].engine_error = "timed out";
  EXPECT_EQ(state_of(make_status(seen, kNow), "Docker"), "down");
  seen = all_well();
  seen.machines["edge-1"].state->cause = "engine";
  EXPECT_EQ(state_of(make_status(seen, kNow), "Docker"), "down");
}

TEST(Status, without_machines_docker_and_agents_are_off_not_broken) {
  Observed seen = all_well();
  seen.documents = {};
  seen.machines.clear();
  const json status = make_status(seen, kNow);
  EXPECT_EQ(state_of(status, "Docker"), "off");
  EXPECT_EQ(state_of(status, "Machine Agent"), "off");
  EXPECT_EQ(status["ok"], true);
}

TEST(Status, tells_silent_sensors_from_missing_ones) {
  Observed seen = all_well();
  seen.flows["sensor.bme280.boiler-7"].last_moved = kNow - milliseconds{16'000};  // 3 periods of 5 s
  EXPECT_EQ(make_status(seen, kNow)["services"][0]["sensors"][0]["state"], "silent");
  seen.documents.bindings[0].topics.clear();
  const json status = make_status(seen, kNow);
  EXPECT_EQ(status["services"][0]["sensors"][0]["state"], "missing");
  EXPECT_EQ(status["ok"], false);
}

TEST(Status, knows_a_service_by_its_lane_when_the_life_cycle_manager_is_somebody_else) {
  Observed seen = all_well();
  seen.documents.services.clear();
  ports::Lane lane;
  lane.service_id = "boiler-monitor";
  lane.committed = 7;
  lane.wanted = ports::Wanted::kRunning;
  seen.documents.lanes.push_back(lane);
  ports::Lane removed;
  removed.service_id = "old";
  seen.documents.lanes.push_back(removed);
  const json status = make_status(seen, kNow);
  ASSERT_EQ(status["services"].size(), 1U);
  EXPECT_EQ(status["services"][0]["state"], "running");
}

}  // namespace
}  // namespace slipway::gateway
