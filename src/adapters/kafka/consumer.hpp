#pragma once

#include <memory>
#include <string>
#include <vector>

#include "adapters/kafka/client.hpp"
#include "ports/bus.hpp"

namespace slipway::kafka {

/// A member of a consumer group (cooperative-sticky). `listener` must outlive it; may be null.
Result<std::unique_ptr<ports::Consumer>> make_group_consumer(const KafkaSettings& settings,
                                                             const std::string& group,
                                                             const std::vector<std::string>& topics,
                                                             ports::RebalanceListener* listener);

/// Reads from these positions on, in no group.
Result<std::unique_ptr<ports::Consumer>> make_assigned_consumer(
    const KafkaSettings& settings, const std::map<ports::TopicPartition, std::int64_t>& positions);

}  // namespace slipway::kafka
