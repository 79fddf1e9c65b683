#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "messages/topics.hpp"
#include "ports/bus.hpp"

namespace slipway::gateway {

/// One record as `slipway messages -f` shows it: {"time", "from", "to", "topic", "key", "place", "says"};
/// from and to by the mission's names, `says` in a line of plain words (not yet safe for a terminal). Pure.
nlohmann::json message_line(const ports::Record& record, const messages::Topics& topics);

}  // namespace slipway::gateway
