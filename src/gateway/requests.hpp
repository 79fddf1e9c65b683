#pragma once

#include "gateway/replies.hpp"
#include "gateway/router.hpp"

namespace slipway::gateway {

/// POST services/requests, machines/requests, sensors/requests: a request message in form of its contract is
/// put on the owner's topic, nothing else; the answer is the owner's reply.
void add_request_routes(Router& router, World& world, Replies& replies);

}  // namespace slipway::gateway
