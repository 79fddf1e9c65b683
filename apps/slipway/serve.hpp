#pragma once

#include <map>
#include <stop_token>
#include <string>
#include <vector>

#include "base/failpoint.hpp"
#include "base/log.hpp"
#include "base/result.hpp"
#include "settings.hpp"

namespace slipway {

/// Opens the real components and runs the roles of `settings` until `stop`. Waits for Kafka and the
/// Repository as long as it takes, saying so; settings that cannot work are an Error at once.
Status serve(const ServerSettings& settings, const Failpoints& failpoints, const Log& log,
             const std::stop_token& stop);

/// All role names; "all" stands for them.
const std::vector<std::string>& role_names();

}  // namespace slipway
