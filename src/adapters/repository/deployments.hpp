#pragma once

#include "adapters/repository/collection.hpp"
#include "ports/stores/deployment.hpp"

namespace slipway::repository {

/// Collection deployments: one document per request.
class MongoDeployments final : public ports::DeploymentStore {
 public:
  explicit MongoDeployments(const Connection& connection) : deployments_(connection, "deployments") {}

  Status create_indexes() const;
  Result<bool> insert(const ports::Deployment& deployment) override;
  Result<std::optional<ports::Deployment>> find(const std::string& request_id) override;
  Result<std::vector<ports::Deployment>> open() override;
  Result<std::vector<ports::Deployment>> unpublished() override;
  Result<std::vector<ports::Deployment>> latest(const std::string& service_id, std::size_t most) override;
  Result<bool> append(const std::string& request_id, std::int64_t epoch,
                      const messages::DeploymentStatus& status) override;
  Result<bool> set_facts(const std::string& request_id, std::int64_t epoch,
                         const std::map<std::string, std::string>& facts) override;
  Status mark_published(const std::string& request_id, std::int64_t count) override;

 private:
  Result<std::vector<ports::Deployment>> oldest_first(const char* flag);
  Collection deployments_;
};

}  // namespace slipway::repository
