#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "systems/machine_agent/probes/kept_file.hpp"

namespace slipway::machine_agent {

/// Counters of one device since boot. A sector is 512 bytes here, whatever the device's own is.
struct DiskCounters {
  std::uint64_t sectors_read = 0, sectors_written = 0, busy_ms = 0;
};

/// Parses one line of /proc/diskstats (kernel: Documentation/admin-guide/iostats.rst); `name` points into it.
Result<DiskCounters> parse_disk_line(std::string_view line, std::string_view& name);

/// Bytes per second of all disks; `busy` is the percent of time in which the busiest one had work.
struct DiskUse {
  double read_bps = 0, write_bps = 0, busy = 0;
};

/// Whole physical disks only: partitions, loop, dm, md and zram devices would count bytes twice.
class DiskProbe {
 public:
  explicit DiskProbe(std::filesystem::path root);
  /// Use since the last call, which was `elapsed` ago; nothing on the first call.
  Result<std::optional<DiskUse>> step(std::chrono::nanoseconds elapsed, std::string& buffer);

 private:
  struct Device {
    std::string name;
    bool physical = false;
    std::optional<DiskCounters> last;
  };
  Device& device(std::string_view name, std::size_t hint);
  bool is_physical(std::string_view name) const;

  std::filesystem::path root_;
  KeptFile file_;
  bool first_ = true;
  std::vector<Device> devices_;  // in the order of the file: found by position first
};

}  // namespace slipway::machine_agent
