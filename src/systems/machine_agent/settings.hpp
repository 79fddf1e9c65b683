#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "systems/machine_agent/probes/filesystem.hpp"

namespace slipway::machine_agent {

/// What the Deployment Manager writes into the agent's container as /run/slipway/agent.json:
/// {"machine": "edge-1", "topic": "slipway.machine.stats", "interval_ms": 1000, "config": "3f9c...",
///  "filesystems": [{"mount": "/data", "path": "/fs/data"}]}
struct Settings {
  std::string machine;
  std::string topic = "slipway.machine.stats";
  milliseconds interval{1000};
  std::string config;  ///< digest of all settings, told back in the state file
  /// Beside these the Engine's data root is watched.
  std::vector<WatchedFilesystem> filesystems;
};

/// Unknown fields are ignored. invalid: no JSON object, no machine, an interval below 100 ms or over a
/// minute.
Result<Settings> parse_settings(std::string_view json);

/// "name=value" lines of a kafka.properties file, in their order; blank lines and those with # are left out.
Result<std::vector<std::pair<std::string, std::string>>> parse_properties(std::string_view text);

}  // namespace slipway::machine_agent
