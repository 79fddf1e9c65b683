#pragma once

#include <string_view>

namespace slipway::gateway {

/// contracts/openapi.yaml as it was when this program was built.
extern const std::string_view kOpenapiText;

}  // namespace slipway::gateway
