#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "cli/api.hpp"
#include "cli/progress.hpp"
#include "cli/session.hpp"
#include "messages/deployment_request.hpp"

namespace slipway::cli {

/// What a request is about, for the lines that people read.
struct Story {
  std::string request_id;
  std::string service_id;
  std::string version;            ///< the user's label, or empty
  std::string machine;            ///< or empty: not known yet
  std::string runtime;            ///< "python@3.11", or empty
  std::string done = "Deployed";  ///< first word of the last line
  bool local_source =
      false;  ///< validated and uploaded from here: those stages of the server say nothing new
  std::chrono::milliseconds deadline{30 * 60'000};
  WallTime begun{};
};

/// "boiler-monitor 1.4.0 -> edge-1   python@3.11   release 7   d-7f3k"
std::string title_of(const Story& story, std::optional<std::int64_t> release);

/// Sends a wish to the Service Life Cycle Manager and shows its stages until the final one, through outages
/// of the server too; the exit code of its outcome, with the last words on standard output or error.
int send_and_follow(Session& session, Api& api, Progress* progress,
                    const messages::DeploymentRequest& request, Story story);

/// Shows a request that was sent before, from its beginning.
int follow(Session& session, Api& api, Progress* progress, Story story);

}  // namespace slipway::cli
