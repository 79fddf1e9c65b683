#pragma once

#include "adapters/repository/collection.hpp"
#include "ports/stores/sources.hpp"

namespace slipway::repository {

/// GridFS bucket `sources`.
class MongoSources final : public ports::SourceStore {
 public:
  MongoSources(const Connection& connection, const Clock& clock)
      : connection_(connection), files_(connection, "sources.files"), clock_(clock) {}

  Status create_indexes() const;
  Result<std::vector<ports::SourceFile>> find(const std::string& path) override;
  Result<std::unique_ptr<ports::SourceReader>> open(const std::string& file_id) override;
  Result<ports::SourceFile> put(const std::string& path, std::string_view bytes) override;

 private:
  const Connection& connection_;
  const Collection files_;
  const Clock& clock_;
};

}  // namespace slipway::repository
