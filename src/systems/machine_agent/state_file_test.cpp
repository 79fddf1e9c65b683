#include "systems/machine_agent/state_file.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "systems/machine_agent/probes/recorded_tree.hpp"

namespace slipway::machine_agent {
namespace {

AgentState some_state() {
  AgentState state;
  state.origin = {"edge-1", "b1c2", "0.1.0"};
  state.config = "3f9c";
  state.started = from_ms(1000);
  state.seq = 17;
  state.now = from_ms(1'795'348'901'134);
  state.sender.since = from_ms(5000);
  state.sender.problem = "connection \"refused\"";
  state.sender.spooled = 12;
  state.sender.dropped = 3;
  return state;
}

TEST(StateFile, says_what_the_agent_knows_about_itself) {
  RecordedTree tree{"cgroup_v2"};
  StateFile file{tree.root() / "state.json", Log::silent()};
  EXPECT_TRUE(file.is_due(MonoTime{}));
  file.write(some_state(), MonoTime{});
  EXPECT_FALSE(file.is_due(MonoTime{} + milliseconds{4999}));
  EXPECT_TRUE(file.is_due(MonoTime{} + StateFile::kEvery));
  std::ifstream stream{tree.root() / "state.json"};
  const auto value = nlohmann::json::parse(stream);
  EXPECT_EQ(value["machine"], "edge-1");
  EXPECT_EQ(value["agent"], "0.1.0");
  EXPECT_EQ(value["config"], "3f9c");
  EXPECT_EQ(value["seq"], 17);
  EXPECT_EQ(value["broker"]["reachable"], false);
  EXPECT_EQ(value["broker"]["since"], "1970-01-01T00:00:05.000Z");
  EXPECT_EQ(value["broker"]["problem"], "connection \"refused\"");
  EXPECT_EQ(value["broker"]["last_ack"], nullptr);
  EXPECT_EQ(value["spool"]["samples"], 12);
  EXPECT_EQ(value["spool"]["dropped"], 3);
  EXPECT_EQ(value["clock"]["t"], 1'795'348'901'134);
  EXPECT_FALSE(std::filesystem::exists(tree.root() / "state.json.new"));
}

TEST(StateFile, that_cannot_be_written_stops_nothing) {
  StateFile file{"/no/such/folder/state.json", Log::silent()};
  file.write(some_state(), MonoTime{});
  EXPECT_FALSE(std::filesystem::exists("/no/such/folder"));
}

}  // namespace
}  // namespace slipway::machine_agent
