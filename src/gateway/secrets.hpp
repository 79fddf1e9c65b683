#pragma once

#include "gateway/router.hpp"
#include "gateway/world.hpp"

namespace slipway::gateway {

/// PUT, DELETE secrets/{name} and GET secrets: the only way in, and no way out: values are sealed at once and
/// never in an answer, a log or a message.
void add_secret_routes(Router& router, World& world);

}  // namespace slipway::gateway
