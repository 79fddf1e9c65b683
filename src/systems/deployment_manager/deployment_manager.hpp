#pragma once

#include <memory>

#include "systems/deployment_manager/world.hpp"

namespace slipway::deployment_manager {

/// The role `deployment_manager`: requests -> lane -> stages -> outbox, and the reconcile loops. Runs on
/// threads of its own from construction to destruction; may run many times, on many hosts.
class DeploymentManager {
 public:
  explicit DeploymentManager(World world);
  ~DeploymentManager();

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace slipway::deployment_manager
