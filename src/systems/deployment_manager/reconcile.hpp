#pragma once

#include "systems/deployment_manager/agent_keeper.hpp"
#include "systems/deployment_manager/orphans.hpp"

namespace slipway::deployment_manager {

/// Compares what is wanted on one machine with what is there, and mends it: what is missing is started (the
/// agent too), what was changed by hand is changed back, what is ours and unwanted is removed by id, what is
/// not ours is never touched. A service whose lane is active belongs to its deployment. Safe to call at any
/// time, from one thread per machine.
class Reconciler {
 public:
  Reconciler(World& world, AgentKeeper& agents) : world_(world), agents_(agents), orphans_(world) {}
  Status reconcile(const MachineEngine& machine, const std::stop_token& stop);

 private:
  using Containers = std::vector<ports::Container>;
  Status settle(const MachineEngine& machine, const ports::Lane& lane, const Containers& mine);
  Status mend(const MachineEngine& machine, const ports::Lane& lane, const ports::Container& serving);
  Status heal(const MachineEngine& machine, const ports::Lane& lane, const ports::Container* there);
  Status remove_unknown(const MachineEngine& machine, const std::vector<ports::Lane>& lanes,
                        const Containers& containers);
  Status record(const MachineEngine& machine, const Containers& containers);
  Result<bool> still_free(const ports::Lane& lane);
  void tell_drift(const MachineEngine& machine, const ports::Lane& lane, const std::string& what);

  World& world_;
  AgentKeeper& agents_;
  Orphans orphans_;
};

}  // namespace slipway::deployment_manager
