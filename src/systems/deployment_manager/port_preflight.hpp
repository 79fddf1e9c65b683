#pragma once

#include "meta_file/service_spec.hpp"
#include "systems/deployment_manager/world.hpp"

namespace slipway::deployment_manager {

/// The fixed ports that a service publishes are free on this machine as far as Slipway knows: found out
/// before the release that serves is stopped. kInvalid `meta.port_forbidden` for the port of the machine's
/// Engine, `meta.port_conflict`, which names the other service.
Status check_ports(World& world, const messages::Machine& machine, const meta_file::ServiceSpec& spec);

}  // namespace slipway::deployment_manager
