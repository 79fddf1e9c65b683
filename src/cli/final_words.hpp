#pragma once

#include "cli/follow.hpp"
#include "messages/deployment_status.hpp"

namespace slipway::cli {

/// The last lines of a request that ended: what was done and what to try next on standard output; of a
/// failure what failed, why, the container's last lines, what serves now and what to do, on standard error.
/// Ends the progress display. The exit code.
int say_final(Session& session, Api& api, Progress* progress, const Story& story,
              const messages::DeploymentStatus& last);

/// The failure's text alone; pure.
std::string failure_text(const Story& story, const messages::DeploymentStatus& last, milliseconds took);

}  // namespace slipway::cli
