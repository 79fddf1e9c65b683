#pragma once

#include "base/clock.hpp"
#include "base/log.hpp"
#include "gateway/gateway.hpp"
#include "messages/topics.hpp"

namespace slipway::gateway {

/// What every route may use; owned by Gateway, outlives all routes.
struct World {
  ports::Bus& bus;
  ports::Repository& repository;
  ports::Engines& engines;
  Clock& clock;
  Log log;
  messages::Topics topics;
  GatewaySettings settings;
};

}  // namespace slipway::gateway
