#pragma once

#include <map>
#include <string>

namespace slipway::kafka {

/// Where Kafka is. `properties` are librdkafka's (SASL, TLS, ...) and win over our defaults, not over what
/// keeping messages depends on.
struct KafkaSettings {
  std::string brokers;
  std::map<std::string, std::string> properties;
};

}  // namespace slipway::kafka
