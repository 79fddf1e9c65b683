#pragma once

#include <ostream>

#include "tests/fakes/deployment_world.hpp"

namespace slipway::deployment_manager {

// A row per stage that takes time: what holds the deployment there.
struct HeldStage {
  std::string stage;
  Stage at;
  std::string late{};     ///< besides "stage.deadline": the code it ends with when its time is over
  bool switched = false;  ///< the old one was stopped by then
  bool parked = false;    ///< has no end before the Repository is back
};
inline std::ostream& operator<<(std::ostream& out, const HeldStage& row) {
  return out << row.stage;
}
inline const std::vector<HeldStage> kHeldStages{
    {.stage = "accepted", .at = Stage::kAccepted, .late = "node_manager.no_reply"},
    {.stage = "fetched", .at = Stage::kFetched, .parked = true},
    {.stage = "built", .at = Stage::kBuilt},
    {.stage = "agent_ready", .at = Stage::kAgentReady, .late = "agent.silent"},
    {.stage = "bound", .at = Stage::kBound, .late = "sensor_manager.no_reply"},
    {.stage = "started", .at = Stage::kStarted, .late = "engine.unreachable"},
    {.stage = "healthy", .at = Stage::kHealthy, .late = "service.unhealthy", .switched = true},
};

class HeldAt : public Deploying, public ::testing::WithParamInterface<HeldStage> {
 protected:
  // A release that serves, and a machine where no agent ever answers.
  void serve_first() {
    auto& second = engines_.at("tcp://10.0.0.2:2375");
    second.add_image({.id = "sha256:base", .tags = {"base:1"}});
    second.add_image({.id = "sha256:agent", .tags = {"slipway/agent:1"}});
    ASSERT_TRUE(repository_.machines().put({{.name = "edge-2", .docker = "tcp://10.0.0.2:2375"}}));
    ASSERT_EQ(wait_end(ask_deploy()).state, State::kSucceeded);
    wait_free();
  }

  // Asks for a second release that gets no further than the row's stage.
  std::string ask_and_hold() {
    const auto& row = GetParam();
    std::string meta(kMeta), machine = R"("edge-1")";
    if (row.at == Stage::kAccepted) machine = R"({"name":"edge-9","docker":"tcp://10.0.0.9:2376"})";
    if (row.at == Stage::kFetched)
      repository_.fail_next(unavailable("repository.unavailable", "the test holds it"), 100'000, "sources");
    if (row.at == Stage::kBuilt) engine().hold_builds(true);
    if (row.at == Stage::kAgentReady) machine = R"("edge-2")";
    if (row.at == Stage::kBound) meta = kSensorMeta;
    if (row.at == Stage::kStarted)
      for (int i = 0; i < 1000; ++i) engine().fail_next("create", fakes::unreachable());
    if (row.at == Stage::kHealthy)
      engine().script([](const ports::ContainerSpec&) {
        fakes::ContainerScript script;
        script.execs_wait = true;
        return script;
      });
    if (row.at != Stage::kFetched) put_source(meta, "print(2)");
    return ask(R"("path":"shop/1","machine":)" + machine);
  }

  void let_go() {
    repository_.stop_failing();
    engine().stop_failing();
  }

  bool is_held(const std::string& id) {
    switch (GetParam().at) {
      case Stage::kAccepted:
        return !bus_.records(topics_.machine_requests).empty();
      case Stage::kFetched:
        return repository_.refused() > 0;
      case Stage::kBuilt:
        return engine().count("build") == 2;
      case Stage::kBound:
        return !bus_.records(topics_.sensor_requests).empty();
      case Stage::kHealthy:
        return engine().count("exec") == 2;
      default:
        return is_at(id, GetParam().at);
    }
  }
};

}  // namespace slipway::deployment_manager
