#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/clock.hpp"
#include "ports/stores/table.hpp"

namespace slipway::ports {

/// services (Life Cycle Manager).
struct Service {
  std::string service_id;
  std::string state;  ///< registered, deploying, running, stopped, completed, failed, removed
  std::optional<std::int64_t> serving;
  std::string version, path, machine;
  std::string last_request;
  std::string last_error;
  WallTime since{};
  std::string id() const { return service_id; }
};

/// service_history (Life Cycle Manager): one per final status or event that changed the state. Indexed:
/// service_id.
struct ServiceHistory {
  std::string entry_id;  ///< "<service>/<time>/<request id>": sorts by time, the same for the same message
  std::string service_id, request_id, event, state, message;
  std::optional<std::int64_t> release;
  WallTime at{};
  std::string id() const { return entry_id; }
};

}  // namespace slipway::ports
