#pragma once

#include <string>

#include "messages/machine.hpp"
#include "ports/stores/table.hpp"

namespace slipway::ports {

/// machines (Node Manager).
struct MachineDocument {
  messages::Machine machine;
  std::string id() const { return machine.name; }
};

}  // namespace slipway::ports
