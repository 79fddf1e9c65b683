#pragma once

#include "gateway/router.hpp"
#include "gateway/watch.hpp"
#include "gateway/world.hpp"

namespace slipway::gateway {

/// GET routes of services and deployments.
void add_service_routes(Router& router, World& world, Watch& watch);
/// GET routes of machines, sensors and placements.
void add_machine_routes(Router& router, World& world, Watch& watch);
/// GET status, systems, /healthz, /readyz, the schema and the OpenAPI file.
void add_status_routes(Router& router, World& world, Watch& watch);

}  // namespace slipway::gateway
