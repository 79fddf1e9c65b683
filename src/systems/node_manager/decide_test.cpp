#include "systems/node_manager/decide.hpp"

#include <gtest/gtest.h>

namespace slipway::node_manager {
namespace {

using messages::MachineAction;

const WallTime kNow = from_ms(1'795'348'800'000);

Result<ports::EngineInfo> engine() {
  return ports::EngineInfo{.version = "20.10.24", .architecture = "x86_64", .cpus = 4};
}
Result<ports::EngineInfo> nobody() {
  return unavailable("http.unreachable", "refused");
}

messages::MachineRequest add(const std::string& name, const std::string& docker) {
  return {.request_id = "r-1", .action = MachineAction::kAdd, .machine = name, .docker = docker};
}

TEST(Add, registers_what_answers_with_its_facts) {
  const auto decision = decide(add("edge-1", "unix:///var/run/docker.sock"), {}, kNow, engine);
  ASSERT_TRUE(decision.store);
  EXPECT_FALSE(decision.reply.error);
  EXPECT_EQ(decision.store->facts.at("engine"), "20.10.24");
  EXPECT_EQ(decision.store->registered_at, kNow);
}

TEST(Add, refuses_what_does_not_answer) {
  const auto decision = decide(add("edge-1", "tcp://10.0.0.9:2375"), {}, kNow, nobody);
  EXPECT_FALSE(decision.store);
  ASSERT_TRUE(decision.reply.error);
  EXPECT_EQ(decision.reply.error->code, "machine.unreachable");
}

TEST(Add, again_with_the_same_details_changes_nothing_and_with_others_conflicts) {
  const Known known{.machine =
                        messages::Machine{.name = "edge-1", .docker = "tcp://10.0.0.9:2376", .tls = "edge"}};
  auto request = add("edge-1", "tcp://10.0.0.9:2376");
  request.tls = "edge";
  const auto same = decide(request, known, kNow, nobody);
  EXPECT_TRUE(same.reply.unchanged);
  EXPECT_FALSE(same.store);
  request.docker = "tcp://10.0.0.10:2376";
  const auto other = decide(request, known, kNow, engine);
  ASSERT_TRUE(other.reply.error);
  EXPECT_EQ(other.reply.error->code, "machine.conflict");
}

TEST(Add, refuses_names_that_are_none) {
  for (const auto* name : {"", "-a", "A", "a b", "a/b", "../x"}) {
    const auto decision = decide(add(name, "unix:///var/run/docker.sock"), {}, kNow, engine);
    ASSERT_TRUE(decision.reply.error) << name;
    EXPECT_EQ(decision.reply.error->code, "machine.name");
  }
}

TEST(Label, merges_and_an_empty_value_takes_away) {
  const Known known{.machine = messages::Machine{.name = "edge-1", .labels = {{"site", "a"}, {"old", "1"}}}};
  const auto decision = decide({.request_id = "r-2",
                                .action = MachineAction::kLabel,
                                .machine = "edge-1",
                                .labels = {{"site", "b"}, {"old", ""}}},
                               known, kNow, nobody);
  ASSERT_TRUE(decision.store);
  EXPECT_EQ(decision.store->labels, (std::map<std::string, std::string>{{"site", "b"}}));
}

TEST(Remove, spares_a_machine_with_services) {
  Known known{.machine = messages::Machine{.name = "edge-1"}, .services = {"boiler-monitor"}};
  const messages::MachineRequest request{
      .request_id = "r-3", .action = MachineAction::kRemove, .machine = "edge-1"};
  const auto refused = decide(request, known, kNow, nobody);
  ASSERT_TRUE(refused.reply.error);
  EXPECT_EQ(refused.reply.error->code, "machine.in_use");
  known.services.clear();
  EXPECT_TRUE(decide(request, known, kNow, nobody).remove);
}

}  // namespace
}  // namespace slipway::node_manager
