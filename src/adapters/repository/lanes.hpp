#pragma once

#include "adapters/repository/collection.hpp"
#include "ports/stores/lane.hpp"

namespace slipway::repository {

/// Collection lanes: each method is one conditional update.
class MongoLanes final : public ports::LaneStore {
 public:
  explicit MongoLanes(const Connection& connection) : lanes_(connection, "lanes") {}

  Result<std::optional<ports::Lane>> find(const std::string& service_id) override;
  Result<std::vector<ports::Lane>> all() override;
  Result<ports::Lane> enqueue(const std::string& service_id, const std::string& request_id) override;
  Result<std::optional<ports::Lane>> take(const std::string& service_id, const std::string& request_id,
                                          const std::string& owner) override;
  Result<std::optional<ports::Lane>> take_over(const ports::Lane& seen, const std::string& owner) override;
  Result<bool> renew(const std::string& service_id, const std::string& request_id,
                     std::int64_t epoch) override;
  Result<bool> cancel(const std::string& service_id, const std::string& request_id) override;
  Result<bool> unqueue(const std::string& service_id, const std::string& request_id) override;
  Result<std::optional<std::int64_t>> take_release(const std::string& service_id,
                                                   const std::string& request_id,
                                                   std::int64_t epoch) override;
  Result<bool> cut_over(const std::string& service_id, const std::string& request_id, std::int64_t epoch,
                        const Cutover& cutover) override;
  Result<bool> complete(const std::string& service_id, std::int64_t release) override;
  Result<bool> release_lane(const std::string& service_id, const std::string& request_id,
                            std::int64_t epoch) override;

 private:
  Collection lanes_;
};

}  // namespace slipway::repository
