#pragma once

#include <memory>
#include <stop_token>

#include "adapters/kafka/settings.hpp"
#include "base/clock.hpp"
#include "base/log.hpp"
#include "ports/bus.hpp"

namespace slipway::kafka {

/// The Bus on librdkafka. Does not wait for a broker; kInvalid `kafka.setting` for settings that librdkafka
/// refuses. `clock` must outlive it; consumers may outlive it. Once `ending`
/// is requested, publish() gives a broker 2 s to answer instead of 30: with Kafka away, a server still ends
/// in time.
Result<std::unique_ptr<ports::Bus>> open_bus(const KafkaSettings& settings, Clock& clock, Log log,
                                             std::stop_token ending = {});

}  // namespace slipway::kafka
