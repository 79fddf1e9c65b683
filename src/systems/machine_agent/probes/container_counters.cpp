#include "systems/machine_agent/probes/container_counters.hpp"

#include <fmt/format.h>

#include "systems/machine_agent/probes/scan.hpp"

namespace slipway::machine_agent {
namespace {

constexpr std::uint64_t kNoLimit = 1ULL << 62;  // version 1 writes 2^63 rounded down to a page

Result<std::uint64_t> read_number(KeptFile& file, std::string& buffer) {
  SLIPWAY_ASSIGN(const auto text, file.read(buffer));
  if (const auto value = to_number(text)) return *value;
  return internal_error("probe.format", file.path().native() + ": not a number");
}

}  // namespace

Result<ContainerCounters> parse_cpu_stat_v2(std::string_view text) {
  const auto usage = find_number(text, "usage_usec");
  if (!usage) return internal_error("probe.format", "cpu.stat has no usage_usec");
  ContainerCounters counters;
  counters.cpu_ns = *usage * 1000;
  counters.throttled_ns = find_number(text, "throttled_usec").value_or(0) * 1000;
  return counters;
}

std::int64_t parse_memory_limit(std::string_view text) {
  const auto limit = to_number(text);
  return limit && *limit < kNoLimit ? static_cast<std::int64_t>(*limit) : 0;
}

std::int64_t working_set(std::uint64_t usage, std::uint64_t inactive_file) {
  return usage > inactive_file ? static_cast<std::int64_t>(usage - inactive_file) : 0;
}

ContainerFiles::ContainerFiles(const CgroupPlace& place, const std::string& folder)
    : v2_(place.v2),
      cpu_usage_(place.cpuacct / folder / "cpuacct.usage"),
      cpu_stat_(place.cpu / folder / "cpu.stat"),
      memory_usage_(place.memory / folder / (v2_ ? "memory.current" : "memory.usage_in_bytes")),
      memory_stat_(place.memory / folder / "memory.stat"),
      memory_limit_(place.memory / folder / (v2_ ? "memory.max" : "memory.limit_in_bytes")),
      pids_(place.pids / folder / "pids.current"),
      processes_(place.cpuacct / folder / "cgroup.procs") {}

Result<ContainerCounters> ContainerFiles::read(std::string& buffer) {
  ContainerCounters counters;
  SLIPWAY_TRY(read_cpu(counters, buffer));
  for (const auto& part : {read_memory(counters, buffer), read_pids(counters, buffer)})
    if (!part && part.error().kind != ErrorKind::kNotFound) return part.error();
  return counters;
}

Status ContainerFiles::read_pids(ContainerCounters& counters, std::string& buffer) {
  SLIPWAY_ASSIGN(const auto pids, read_number(pids_, buffer));
  counters.pids = static_cast<std::int64_t>(pids);
  return {};
}

Status ContainerFiles::read_cpu(ContainerCounters& counters, std::string& buffer) {
  if (v2_) {
    SLIPWAY_ASSIGN(const auto text, cpu_stat_.read(buffer));
    SLIPWAY_ASSIGN(counters, parse_cpu_stat_v2(text));
    return {};
  }
  SLIPWAY_ASSIGN(counters.cpu_ns, read_number(cpu_usage_, buffer));
  if (const auto text = cpu_stat_.read(buffer))
    counters.throttled_ns = find_number(*text, "throttled_time").value_or(0);
  return {};
}

Status ContainerFiles::read_memory(ContainerCounters& counters, std::string& buffer) {
  SLIPWAY_ASSIGN(const auto usage, read_number(memory_usage_, buffer));
  SLIPWAY_ASSIGN(const auto stat, memory_stat_.read(buffer));
  const auto inactive = find_number(stat, v2_ ? "inactive_file" : "total_inactive_file");
  counters.memory = working_set(usage, inactive.value_or(0));
  SLIPWAY_ASSIGN(const auto limit, memory_limit_.read(buffer));
  counters.memory_limit = parse_memory_limit(limit);
  return {};
}

std::optional<std::uint64_t> ContainerFiles::find_process(std::string& buffer) {
  const auto text = processes_.read(buffer);
  if (!text) return std::nullopt;
  Scan numbers{*text};
  const auto process = numbers.number();
  return process && *process > 0 ? process : std::nullopt;  // 0: a process outside of our pid namespace
}

}  // namespace slipway::machine_agent
