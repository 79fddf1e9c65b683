#pragma once

#include <stop_token>

#include "systems/deployment_manager/agent_keeper.hpp"
#include "systems/deployment_manager/broker_probe.hpp"
#include "systems/deployment_manager/journal.hpp"
#include "systems/deployment_manager/questions.hpp"

namespace slipway::deployment_manager {

/// What works a deployment off.
struct Hands {
  World& world;
  Outbox& outbox;
  AgentKeeper& agents;
  Questions& questions;
  BrokerProbe& broker_probe;
};

/// Works an active deployment off, from wherever its journal says it got to, until its end is written and the
/// lane is free. Returns early, without an end, with `lane.lost` or on `shutdown`: whoever owns the lane next
/// goes on. `hurry` is requested on shutdown, and also when the lane says that it is cancelled.
Status run_deployment(Hands& hands, Journal& journal, const std::stop_token& hurry,
                      const std::stop_token& shutdown);

}  // namespace slipway::deployment_manager
