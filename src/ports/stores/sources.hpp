#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"

namespace slipway::ports {

/// One stored archive: GridFS bucket `sources`, file name = path.
struct SourceFile {
  std::string file_id;  ///< of this very upload
  std::string path;
  std::int64_t size = 0;
  WallTime uploaded_at{};
};

class SourceReader {
 public:
  virtual ~SourceReader() = default;
  /// Bytes read into `buffer`; 0 at the end.
  virtual Result<std::size_t> read(std::span<char> buffer) = 0;
};

/// Source archives. Anybody may add, nothing is overwritten: the newest of a path counts.
class SourceStore {
 public:
  virtual ~SourceStore() = default;
  /// Newest first.
  virtual Result<std::vector<SourceFile>> find(const std::string& path) = 0;
  virtual Result<std::unique_ptr<SourceReader>> open(const std::string& file_id) = 0;
  virtual Result<SourceFile> put(const std::string& path, std::string_view bytes) = 0;
};

}  // namespace slipway::ports
