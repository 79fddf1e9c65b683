#pragma once

#include <string>

#include "base/clock.hpp"
#include "ports/stores/table.hpp"

namespace slipway::ports {

/// answers given to requests of one role, so that a request that comes again gets the same answer (collection
/// `<role>_answers`, TTL a week).
struct Answer {
  std::string request_id;
  std::string digest;             ///< of the canonical request
  std::string topic, key, reply;  ///< what was answered
  WallTime expires_at{};
  std::string id() const { return request_id; }
};

}  // namespace slipway::ports
