#include <array>

#include "systems/deployment_manager/stages/stage.hpp"

namespace slipway::deployment_manager {

std::span<const StageStep> all_stages() {
  using messages::Stage;
  using std::chrono::seconds;
  static constexpr std::array kStages{
      StageStep{Stage::kAccepted, accept, seconds{120}, false},
      StageStep{Stage::kFetched, fetch, seconds{300}, false},
      StageStep{Stage::kValidated, validate, seconds{60}, false},
      StageStep{Stage::kBuilt, build, seconds{300}, true},  // beyond build.deadline
      StageStep{Stage::kAgentReady, ready_agent, seconds{90}, true},
      StageStep{Stage::kBound, bind, seconds{120}, true},
      StageStep{Stage::kStarted, start, seconds{120}, true},
      StageStep{Stage::kHealthy, become_healthy, seconds{30}, true},  // beyond the meta's update.deadline
      StageStep{Stage::kFlowing, flow, seconds{60}, true},
  };
  return kStages;
}

bool reuses_release(const messages::DeploymentRequest& request) {
  using messages::Action;
  return request.action == Action::kRollback || request.action == Action::kStart ||
         request.action == Action::kRestart || (request.action == Action::kDeploy && request.path.empty());
}

}  // namespace slipway::deployment_manager
