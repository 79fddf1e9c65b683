#pragma once

#include <map>
#include <string>

#include "base/result.hpp"
#include "systems/deployment_manager/settings.hpp"

namespace slipway {

/// The agent's images in a folder as the build made them (agent-<arch>.tar with agent-<arch>.json beside it),
/// by architecture. agent.no_image if there is none at all, kCorrupt for a side file that cannot be read.
Result<std::map<std::string, deployment_manager::AgentImage>> find_agent_images(const std::string& folder);

}  // namespace slipway
