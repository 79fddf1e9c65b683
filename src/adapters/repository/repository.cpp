#include "adapters/repository/repository.hpp"

#include <map>

#include "adapters/repository/connection.hpp"
#include "adapters/repository/deployments.hpp"
#include "adapters/repository/format.hpp"
#include "adapters/repository/lanes.hpp"
#include "adapters/repository/leases.hpp"
#include "adapters/repository/probe.hpp"
#include "adapters/repository/samples.hpp"
#include "adapters/repository/sources.hpp"
#include "adapters/repository/table.hpp"

namespace slipway::repository {
namespace {

using namespace ports;

constexpr const char* kRoles[] = {
    "deployment_manager", "monitoring_service", "life_cycle_manager", "sensor_manager",
    "scheduler",          "heart_beat_manager", "node_manager",       "gateway"};

class MongoRepository final : public Repository {
 public:
  MongoRepository(std::unique_ptr<Connection> connection, const Clock& clock)
      : connection_(std::move(connection)), sources_(*connection_, clock) {
    for (const char* role : kRoles) answers_.try_emplace(role, *connection_, std::string(role) + "_answers");
  }

  LaneStore& lanes() override { return lanes_; }
  DeploymentStore& deployments() override { return deployments_; }
  Table<Release>& releases() override { return releases_; }
  Table<Instance>& instances() override { return instances_; }
  Table<Failure>& failures() override { return failures_; }
  Table<Service>& services() override { return services_; }
  Table<ServiceHistory>& service_history() override { return service_history_; }
  Table<SensorDocument>& sensors() override { return sensors_; }
  Table<Binding>& bindings() override { return bindings_; }
  Table<MachineDocument>& machines() override { return machines_; }
  Table<Placement>& placements() override { return placements_; }
  Table<Secret>& secrets() override { return secrets_; }
  Table<TopicDocument>& topics() override { return topics_; }
  Table<Attempts>& attempts() override { return attempts_; }
  Table<Answer>& answers(const std::string& role) override { return answers_.at(role); }
  LeaseStore& leases() override { return leases_; }
  SampleStore& samples() override { return samples_; }
  SourceStore& sources() override { return sources_; }

  Status ping(milliseconds timeout) override { return connection_->ping(timeout); }
  Status create_indexes() const;

 private:
  const std::unique_ptr<Connection> connection_;
  MongoLanes lanes_{*connection_};
  MongoDeployments deployments_{*connection_};
  MongoTable<Release> releases_{*connection_, "releases"};
  MongoTable<Instance> instances_{*connection_, "instances"};
  MongoTable<Failure> failures_{*connection_, "failures"};
  MongoTable<Service> services_{*connection_, "services"};
  MongoTable<ServiceHistory> service_history_{*connection_, "service_history"};
  MongoTable<SensorDocument> sensors_{*connection_, "sensors"};
  MongoTable<Binding> bindings_{*connection_, "bindings"};
  MongoTable<MachineDocument> machines_{*connection_, "machines"};
  MongoTable<Placement> placements_{*connection_, "placements"};
  MongoTable<Secret> secrets_{*connection_, "secrets"};
  MongoTable<TopicDocument> topics_{*connection_, "topics"};
  MongoTable<Attempts> attempts_{*connection_, "attempts"};
  std::map<std::string, MongoTable<Answer>> answers_;
  MongoLeases leases_{*connection_};
  MongoSamples samples_{*connection_};
  MongoSources sources_;
};

Status MongoRepository::create_indexes() const {
  SLIPWAY_TRY(deployments_.create_indexes());
  SLIPWAY_TRY(releases_.create_indexes());
  SLIPWAY_TRY(instances_.create_indexes());
  SLIPWAY_TRY(failures_.create_indexes());
  SLIPWAY_TRY(service_history_.create_indexes());
  SLIPWAY_TRY(placements_.create_indexes());
  SLIPWAY_TRY(samples_.create_indexes());
  SLIPWAY_TRY(sources_.create_indexes());
  for (const auto& [role, table] : answers_) {
    const Collection answers(*connection_, role + "_answers");
    SLIPWAY_TRY(answers.create_indexes(nlohmann::json::array(
        {{{"key", {{"expires_at", 1}}}, {"name", "expires_at"}, {"expireAfterSeconds", 0}}})));
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<Repository>> open_repository(const RepositorySettings& settings, Clock& clock,
                                                    const Log& log) {
  SLIPWAY_ASSIGN(auto connection, Connection::create(settings));
  const std::string hosts = connection->hosts();
  SLIPWAY_TRY(claim_format(*connection));
  SLIPWAY_TRY(probe(*connection));
  auto repository = std::make_unique<MongoRepository>(std::move(connection), clock);
  SLIPWAY_TRY(repository->create_indexes());
  log.info("repository opened", {{"servers", hosts}, {"database", settings.database}});
  return repository;
}

}  // namespace slipway::repository
