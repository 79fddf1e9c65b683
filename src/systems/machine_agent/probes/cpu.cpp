#include "systems/machine_agent/probes/cpu.hpp"

#include <algorithm>

#include "systems/machine_agent/probes/scan.hpp"

namespace slipway::machine_agent {
namespace {

// Idle and iowait can step back by a tick on tickless kernels: such a step counts as none.
std::uint64_t grown(std::uint64_t before, std::uint64_t after) {
  return after > before ? after - before : 0;
}

}  // namespace

Result<CpuTicks> parse_cpu(std::string_view text) {
  Scan lines{text};
  const auto first = lines.line();
  Scan words{first.value_or("")};
  if (words.word() != "cpu") return internal_error("probe.format", "/proc/stat does not start with 'cpu'");
  CpuTicks ticks;
  const auto user = words.number(), nice = words.number(), system = words.number(), idle = words.number();
  if (!user || !nice || !system || !idle)
    return internal_error("probe.format", "/proc/stat: fewer than four counters");
  ticks.user = *user;
  ticks.nice = *nice;
  ticks.system = *system;
  ticks.idle = *idle;
  for (auto* field : {&ticks.iowait, &ticks.irq, &ticks.softirq, &ticks.steal})
    *field = words.number().value_or(0);
  while (const auto line = lines.line()) {
    if (!line->starts_with("cpu")) break;
    ++ticks.cores;
  }
  return ticks;
}

CpuUse cpu_use(const CpuTicks& before, const CpuTicks& after) {
  const auto user = grown(before.user, after.user) + grown(before.nice, after.nice);
  const auto system = grown(before.system, after.system) + grown(before.irq, after.irq) +
                      grown(before.softirq, after.softirq);
  const auto idle = grown(before.idle, after.idle);
  const auto iowait = grown(before.iowait, after.iowait);
  const auto steal = grown(before.steal, after.steal);
  const auto total = user + system + idle + iowait + steal;
  const auto percent = [total](std::uint64_t part) {
    return total == 0 ? 0.0 : 100.0 * static_cast<double>(part) / static_cast<double>(total);
  };
  return {percent(user + system + steal),
          percent(user),
          percent(system),
          percent(iowait),
          percent(steal),
          after.cores};
}

Result<std::optional<CpuUse>> CpuProbe::step(std::string& buffer) {
  SLIPWAY_ASSIGN(const auto text, file_.read(buffer));
  SLIPWAY_ASSIGN(const auto ticks, parse_cpu(text));
  std::optional<CpuUse> use;
  if (last_) use = cpu_use(*last_, ticks);
  last_ = ticks;
  return use;
}

}  // namespace slipway::machine_agent
