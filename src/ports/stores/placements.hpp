#pragma once

#include <map>
#include <string>

#include "base/clock.hpp"
#include "ports/stores/table.hpp"

namespace slipway::ports {

/// placements (Scheduler): each decision with its reasons. Indexed: service_id.
struct Placement {
  std::string request_id, service_id, machine, reason;
  std::map<std::string, std::string> refused;
  WallTime at{};
  std::string id() const { return request_id; }
};

}  // namespace slipway::ports
