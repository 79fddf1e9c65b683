#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "systems/machine_agent/probes/cgroup_place.hpp"
#include "systems/machine_agent/probes/kept_file.hpp"

namespace slipway::machine_agent {

/// What the kernel counts for one control group. CPU time is always there; the rest is 0 where the kernel has
/// no such controller (memory is off by default on some small boards).
struct ContainerCounters {
  std::uint64_t cpu_ns = 0;        ///< CPU time used, all cores together
  std::uint64_t throttled_ns = 0;  ///< time in which it was held back by its CPU limit
  std::int64_t memory = 0;         ///< working set: usage without the file pages that can be dropped at once
  std::int64_t memory_limit = 0;   ///< 0: none
  std::int64_t pids = 0;
};

/// usage_usec and throttled_usec of a version 2 `cpu.stat`, in ns.
Result<ContainerCounters> parse_cpu_stat_v2(std::string_view text);
/// A limit file: "max" (version 2) and the huge number of version 1 mean none = 0.
std::int64_t parse_memory_limit(std::string_view text);
/// Working set as docker and the kubelet reckon it: usage - inactive file pages, never below 0.
std::int64_t working_set(std::uint64_t usage, std::uint64_t inactive_file);

/// The kept-open files of one container's control groups, either version. Not for sharing between threads.
class ContainerFiles {
 public:
  ContainerFiles(const CgroupPlace& place, const std::string& folder);
  /// not_found when the container has ended.
  Result<ContainerCounters> read(std::string& buffer);
  /// A process of the container, by its number in this process's pid namespace; nothing if there is none.
  std::optional<std::uint64_t> find_process(std::string& buffer);

 private:
  Status read_cpu(ContainerCounters& counters, std::string& buffer);
  Status read_memory(ContainerCounters& counters, std::string& buffer);
  Status read_pids(ContainerCounters& counters, std::string& buffer);

  bool v2_;
  KeptFile cpu_usage_, cpu_stat_, memory_usage_, memory_stat_, memory_limit_, pids_, processes_;
};

}  // namespace slipway::machine_agent
