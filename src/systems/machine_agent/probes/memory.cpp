#include "systems/machine_agent/probes/memory.hpp"

#include <array>
#include <utility>

#include "systems/machine_agent/probes/scan.hpp"

namespace slipway::machine_agent {

Result<MemoryUse> parse_memory(std::string_view text) {
  std::int64_t total = -1, free = 0, available = -1, buffers = 0, cached = 0, slab = 0, swap_total = 0,
               swap_free = 0;
  const std::array<std::pair<std::string_view, std::int64_t*>, 8> wanted{{{"MemTotal:", &total},
                                                                          {"MemFree:", &free},
                                                                          {"MemAvailable:", &available},
                                                                          {"Buffers:", &buffers},
                                                                          {"Cached:", &cached},
                                                                          {"SwapTotal:", &swap_total},
                                                                          {"SwapFree:", &swap_free},
                                                                          {"SReclaimable:", &slab}}};
  std::size_t found = 0;
  Scan lines{text};
  while (found < wanted.size()) {
    const auto line = lines.line();
    if (!line) break;
    for (const auto& [key, value] : wanted) {
      if (!line->starts_with(key)) continue;
      const auto kilobytes = Scan{line->substr(key.size())}.number();
      if (!kilobytes) return internal_error("probe.format", "/proc/meminfo: no number in a line");
      *value = static_cast<std::int64_t>(*kilobytes) * 1024;
      ++found;
      break;
    }
  }
  if (total <= 0) return internal_error("probe.format", "/proc/meminfo has no MemTotal");
  MemoryUse use;
  use.total = total;
  use.cached = buffers + cached + slab;
  use.available = available >= 0 ? available : free + use.cached;
  use.swap_used = swap_total - swap_free;
  return use;
}

Result<MemoryUse> MemoryProbe::step(std::string& buffer) {
  SLIPWAY_ASSIGN(const auto text, file_.read(buffer));
  return parse_memory(text);
}

}  // namespace slipway::machine_agent
