#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace slipway::cli {

/// One message that crossed Kafka as a line: time, from -> to, topic, what it says. `wide` adds its place.
std::string message_text(const nlohmann::json& message, bool wide);

}  // namespace slipway::cli
