#pragma once

#include <memory>

#include "adapters/kafka/settings.hpp"
#include "base/clock.hpp"
#include "base/log.hpp"
#include "ports/bus.hpp"

namespace slipway::kafka {

/// The Bus on librdkafka. Does not wait for a broker; kInvalid `kafka.setting` for settings that librdkafka
/// refuses. `clock` must outlive it; consumers may outlive it.
Result<std::unique_ptr<ports::Bus>> open_bus(const KafkaSettings& settings, Clock& clock, Log log);

}  // namespace slipway::kafka
