#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "systems/machine_agent/probes/kept_file.hpp"

namespace slipway::machine_agent {

/// Ticks since boot, summed over all cores (proc(5), /proc/stat). `guest` is part of `user` already.
struct CpuTicks {
  std::uint64_t user = 0, nice = 0, system = 0, idle = 0, iowait = 0, irq = 0, softirq = 0, steal = 0;
  int cores = 0;
};

/// Percent of all cores, between two readings. used = 100 - idle - iowait: it holds `steal`, as top(1) does.
struct CpuUse {
  double used = 0, user = 0, system = 0, iowait = 0, steal = 0;
  int cores = 0;
};

/// Parses the text of /proc/stat up to its per-core lines.
Result<CpuTicks> parse_cpu(std::string_view text);

CpuUse cpu_use(const CpuTicks& before, const CpuTicks& after);

/// Reads CPU use under `root`. Not for sharing between threads.
class CpuProbe {
 public:
  explicit CpuProbe(const std::filesystem::path& root) : file_(root / "proc/stat") {}
  /// Use since the last call; nothing on the first one.
  Result<std::optional<CpuUse>> step(std::string& buffer);

 private:
  KeptFile file_;
  std::optional<CpuTicks> last_;
};

}  // namespace slipway::machine_agent
