#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace slipway::machine_agent {

/// A file of the kernel that is read again and again: opened once, then read from its start each time (the
/// kernel makes the text anew at offset 0). Not for sharing between threads.
class KeptFile {
 public:
  explicit KeptFile(std::filesystem::path path) : path_(std::move(path)) {}
  KeptFile(KeptFile&& other) noexcept;
  KeptFile& operator=(KeptFile&& other) noexcept;
  ~KeptFile() { close(); }

  /// The whole text; it lives in `buffer`, which is reused. not_found when the file is not there, or is gone
  /// since (a container that ended): the next call tries to open it anew.
  Result<std::string_view> read(std::string& buffer);
  const std::filesystem::path& path() const { return path_; }

 private:
  void close();

  std::filesystem::path path_;
  int fd_ = -1;
};

}  // namespace slipway::machine_agent
