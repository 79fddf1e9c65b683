#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "systems/machine_agent/probes/kept_file.hpp"

namespace slipway::machine_agent {

/// Bytes. `cached` = page cache and buffers and what the kernel's slabs can give back, as in free(1).
struct MemoryUse {
  std::int64_t total = 0, available = 0, cached = 0, swap_used = 0;
};

/// Parses /proc/meminfo (kB lines). A kernel without MemAvailable (before 3.14): free + cached.
Result<MemoryUse> parse_memory(std::string_view text);

class MemoryProbe {
 public:
  explicit MemoryProbe(const std::filesystem::path& root) : file_(root / "proc/meminfo") {}
  Result<MemoryUse> step(std::string& buffer);

 private:
  KeptFile file_;
};

}  // namespace slipway::machine_agent
