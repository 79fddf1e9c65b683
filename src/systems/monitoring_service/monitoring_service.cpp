#include "systems/monitoring_service/monitoring_service.hpp"

#include "base/thread.hpp"
#include "systems/monitoring_service/samples.hpp"

namespace slipway::monitoring_service {

struct MonitoringService::Parts {
  Samples samples;
  Worker worker{
      [this](const std::stop_token& stop) { samples.run(stop); }};  // last: its body uses the others
};

MonitoringService::MonitoringService(ports::Bus& bus, ports::Repository& repository, Clock& clock, Log log,
                                     messages::Topics topics, MonitoringServiceSettings settings)
    : parts_(new Parts{Samples(bus, repository, clock, std::move(log), std::move(topics), settings.minutes,
                               settings.most_waiting)}) {}

MonitoringService::~MonitoringService() = default;

}  // namespace slipway::monitoring_service
