#pragma once

#include <nlohmann/json_fwd.hpp>

#include "base/result.hpp"

namespace slipway::gateway {

/// contracts/openapi.yaml, which is built into the program, as JSON.
Result<nlohmann::json> openapi();

}  // namespace slipway::gateway
