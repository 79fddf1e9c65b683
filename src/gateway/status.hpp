#pragma once

#include <nlohmann/json_fwd.hpp>

#include "gateway/watch.hpp"

namespace slipway::gateway {

/// The whole document of `slipway status -o json` (docs/contracts.md), out of what was observed. Pure.
nlohmann::json make_status(const Observed& observed, WallTime now);

/// One machine as status and machine routes show it.
nlohmann::json make_machine(const messages::Machine& machine, const Observed& observed, WallTime now);

}  // namespace slipway::gateway
