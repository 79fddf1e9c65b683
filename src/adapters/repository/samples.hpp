#pragma once

#include <string>
#include <vector>

#include "adapters/repository/collection.hpp"
#include "ports/stores/samples.hpp"

namespace slipway::repository {

/// samples_1s, samples_1m, container_samples_1s and container_samples_1m.
class MongoSamples final : public ports::SampleStore {
 public:
  explicit MongoSamples(const Connection& connection);

  Status create_indexes() const;
  Result<std::vector<std::string>> write(const std::vector<ports::MinuteDocument>& minutes) override;
  Result<std::optional<ports::MinuteDocument>> load(const std::string& machine,
                                                    const std::string& container_id,
                                                    std::int64_t minute) override;
  Result<std::vector<ports::MinuteDocument>> plain(const std::string& machine,
                                                   const std::string& container_id, WallTime from,
                                                   WallTime to) override;
  Result<std::vector<ports::MinuteDocument>> columns(const std::string& machine,
                                                     const std::string& container_id, WallTime from,
                                                     WallTime to) override;
  Result<std::vector<ports::MinuteDocument>> containers(const std::string& machine, WallTime from,
                                                        WallTime to) override;

 private:
  /// The two documents of a minute.
  struct Pair {
    Collection full, plain;
  };
  const Pair& pair(bool container) const { return container ? containers_ : machines_; }
  Status write_batch(const Pair& pair, const std::vector<const ports::MinuteDocument*>& batch,
                     std::vector<std::string>& refused) const;

  const Pair machines_, containers_;
};

}  // namespace slipway::repository
