#include "systems/deployment_manager/stage_deadline.hpp"

namespace slipway::deployment_manager {

StageDeadline::StageDeadline(Clock& clock, std::chrono::seconds limit, const std::stop_token& hurry)
    : hurry_(hurry, [this] { stop_.request_stop(); }),
      worker_([this, &clock, limit](const std::stop_token& over) {
        if (!clock.sleep(limit, over)) return;
        passed_ = true;
        stop_.request_stop();
      }) {}

}  // namespace slipway::deployment_manager
