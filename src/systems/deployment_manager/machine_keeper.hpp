#pragma once

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "ports/role_lease.hpp"
#include "systems/deployment_manager/reconcile.hpp"

namespace slipway::deployment_manager {

/// One machine: a thread that reconciles it every 10 s and whenever its Engine says that something happened,
/// and one that hears the Engine's events and publishes them on service.events. Of all deployers only the one
/// that holds the lease `machine/<name>` does either. A hung Engine holds up nobody else.
class MachineWatch {
 public:
  MachineWatch(World& world, AgentKeeper& agents, MachineEngine machine);

 private:
  void reconcile_loop(const std::stop_token& stop);
  void watch_loop(const std::stop_token& stop);
  bool wait_for_lease(const std::stop_token& stop);
  void hear(const ports::EngineEvent& event);
  void tell(const std::string& event, const ports::EngineEvent* from);
  void set_reachable(bool reachable);
  void wake();

  World& world_;
  MachineEngine machine_;
  Reconciler reconciler_;
  ports::RoleLease lease_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  bool woken_ = true;      // guarded by mutex_
  bool reachable_ = true;  // guarded by mutex_
  Worker watching_;        // these two last: their bodies use all the others
  Worker reconciling_;
};

/// Keeps a MachineWatch for every registered machine.
class MachineKeeper {
 public:
  MachineKeeper(World& world, AgentKeeper& agents);

 private:
  void run(const std::stop_token& stop);
  World& world_;
  AgentKeeper& agents_;
  struct Watched {
    messages::Machine machine;
    std::unique_ptr<MachineWatch> watch;
  };
  bool still_registered(const std::string& name, Watched& watched,
                        const std::vector<ports::MachineDocument>& machines);
  std::map<std::string, Watched> watched_;  // only the worker's thread
  Worker worker_;                           // last: its body uses all the others
};

}  // namespace slipway::deployment_manager
