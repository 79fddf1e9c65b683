#pragma once

#include <memory>

#include "base/clock.hpp"
#include "base/log.hpp"
#include "messages/topics.hpp"
#include "ports/bus.hpp"
#include "ports/repository.hpp"
#include "systems/monitoring_service/minutes.hpp"

namespace slipway::monitoring_service {

struct MonitoringServiceSettings {
  MinutesSettings minutes;
  std::size_t most_waiting = 5'000;  ///< samples that were read and not folded yet
};

/// The role `monitoring_service`: takes every machine's samples and stores them, two documents per machine or
/// container and minute. Many can run; they share the partitions of machine.stats. Offsets are committed only
/// after the documents that the samples went into are stored: kill it anywhere, no hole, no double. Samples
/// that cannot be placed go to the dead-letter topic. While the Repository is away it keeps what it has,
/// reads no further and goes on later. The destructor stores what it can within a few seconds.
class MonitoringService {
 public:
  MonitoringService(ports::Bus& bus, ports::Repository& repository, Clock& clock, Log log,
                    messages::Topics topics, MonitoringServiceSettings settings = {});
  ~MonitoringService();

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace slipway::monitoring_service
