#pragma once

#include <string>

#include "base/clock.hpp"
#include "ports/stores/table.hpp"

namespace slipway::ports {

/// topics (the server, at start): how many partitions each topic had when it was first seen on that Kafka
/// cluster. Removing the document accepts another number.
struct TopicDocument {
  std::string name;  ///< with its prefix
  std::string cluster_id;
  int partitions = 0;
  WallTime since{};
  std::string id() const { return name; }
};

}  // namespace slipway::ports
