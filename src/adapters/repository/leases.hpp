#pragma once

#include "adapters/repository/collection.hpp"
#include "ports/stores/leases.hpp"

namespace slipway::repository {

/// Collection leases: one document per lease, never removed, so that its epoch only grows.
class MongoLeases final : public ports::LeaseStore {
 public:
  explicit MongoLeases(const Connection& connection) : leases_(connection, "leases") {}

  Result<std::optional<ports::Lease>> find(const std::string& name) override;
  Result<std::optional<ports::Lease>> take(const std::string& name, const std::string& holder,
                                           const std::optional<ports::Lease>& seen) override;
  Result<bool> renew(const ports::Lease& mine) override;
  Status give_back(const ports::Lease& mine) override;

 private:
  Collection leases_;
};

}  // namespace slipway::repository
