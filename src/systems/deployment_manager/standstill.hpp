#pragma once

#include "systems/deployment_manager/journal.hpp"

namespace slipway::deployment_manager {

/// `stop` and `remove`: the lane decides first, then the containers follow. A machine that does not answer is
/// cleaned by the reconcile loop when it returns; the message says so.
Status stand_still(World& world, Journal& journal);

}  // namespace slipway::deployment_manager
