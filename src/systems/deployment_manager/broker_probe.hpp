#pragma once

#include <map>
#include <mutex>
#include <stop_token>
#include <string>
#include <utility>

#include "systems/deployment_manager/agent_keeper.hpp"
#include "systems/deployment_manager/world.hpp"

namespace slipway::deployment_manager {

/// Finds out, before anything that serves is touched, whether a container on a machine reaches the brokers
/// that services are told of: a short-lived container of the agent's image, on the network of the service,
/// connects to them. What worked is not tried again for a while. Any thread may call.
class BrokerProbe {
 public:
  BrokerProbe(World& world, AgentKeeper& agents) : world_(world), agents_(agents) {}

  /// `kafka.unreachable_from_machine` (kInvalid) with the addresses that were tried and what came of each;
  /// retryable where Kafka does not answer from here either.
  Status check(const MachineEngine& machine, const std::string& network, const std::stop_token& stop);

 private:
  struct Tried {
    int exit_code = 0;
    std::vector<std::string> lines;
  };
  Result<Tried> run(const MachineEngine& machine, const std::string& network, const std::stop_token& stop);
  Result<Tried> wait_for_end(ports::Engine& engine, const std::string& id, const std::stop_token& stop);

  World& world_;
  AgentKeeper& agents_;
  std::mutex mutex_;
  std::map<std::pair<std::string, std::string>, MonoTime> reached_;  // machine, network; guarded by mutex_
};

}  // namespace slipway::deployment_manager
