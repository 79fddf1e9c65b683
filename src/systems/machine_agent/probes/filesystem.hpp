#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/result.hpp"

namespace slipway::machine_agent {

/// A file system to measure: `path` is any file on it that this process can see, `mount` how it is called on
/// the machine.
struct WatchedFilesystem {
  std::string mount;
  std::filesystem::path path;
};

struct FilesystemUse {
  std::string mount;
  std::int64_t total = 0, used = 0;  ///< bytes; used + free for users < total where some is reserved for root
  double inodes_used = 0;            ///< percent; 0 where the file system has no fixed number
};

/// Where the file system that holds `path` is mounted on the machine, by the mount table of process 1
/// (`mountinfo`, its text): the mount of the same device with the whole file system as its root. Inside a
/// container `/etc/hosts` lies on the Engine's data root. Empty if it is not in the table.
std::string find_mount(const std::string& mountinfo, unsigned major, unsigned minor);

/// Measures by statfs. Looks only every `kEvery` calls: disks fill slowly, and statfs can be slow.
class FilesystemProbe {
 public:
  static constexpr int kEvery = 10;
  /// A watched file system without a mount name gets it from `root`/proc/1/mountinfo.
  FilesystemProbe(const std::filesystem::path& root, std::vector<WatchedFilesystem> watched);
  /// The newest figures; valid until the next call. One that cannot be measured is left out.
  const std::vector<FilesystemUse>& step();

 private:
  std::vector<WatchedFilesystem> watched_;
  std::vector<FilesystemUse> uses_;
  int calls_ = 0;
};

}  // namespace slipway::machine_agent
