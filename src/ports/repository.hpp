#pragma once

#include <memory>

#include "base/result.hpp"
#include "ports/stores/answers.hpp"
#include "ports/stores/attempts.hpp"
#include "ports/stores/deployment.hpp"
#include "ports/stores/lane.hpp"
#include "ports/stores/leases.hpp"
#include "ports/stores/machines.hpp"
#include "ports/stores/placements.hpp"
#include "ports/stores/releases.hpp"
#include "ports/stores/samples.hpp"
#include "ports/stores/secrets.hpp"
#include "ports/stores/sensors.hpp"
#include "ports/stores/services.hpp"
#include "ports/stores/sources.hpp"
#include "ports/stores/topics.hpp"

namespace slipway::ports {

/// The Repository: one small store per collection. All live as long as this object; any thread may call.
class Repository {
 public:
  virtual ~Repository() = default;
  virtual LaneStore& lanes() = 0;
  virtual DeploymentStore& deployments() = 0;
  virtual Table<Release>& releases() = 0;
  virtual Table<Instance>& instances() = 0;
  virtual Table<Failure>& failures() = 0;
  virtual Table<Service>& services() = 0;
  virtual Table<ServiceHistory>& service_history() = 0;
  virtual Table<SensorDocument>& sensors() = 0;
  virtual Table<Binding>& bindings() = 0;
  virtual Table<MachineDocument>& machines() = 0;
  virtual Table<Placement>& placements() = 0;
  virtual Table<Secret>& secrets() = 0;
  virtual Table<TopicDocument>& topics() = 0;
  virtual Table<Attempts>& attempts() = 0;
  virtual Table<Answer>& answers(const std::string& role) = 0;
  virtual LeaseStore& leases() = 0;
  virtual SampleStore& samples() = 0;
  virtual SourceStore& sources() = 0;
  /// Fails within `timeout` unless the server answers.
  virtual Status ping(std::chrono::milliseconds timeout) = 0;
};

}  // namespace slipway::ports
