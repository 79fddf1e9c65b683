#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace slipway::messages {

struct ContainerSample {
  std::string id;              ///< 64 hex digits
  double cpu = 0;              ///< percent of one core
  std::int64_t mem = 0;        ///< working set, bytes
  std::int64_t mem_limit = 0;  ///< 0: none
  std::int64_t pids = 0;
  double throttled = 0;  ///< percent of the interval
  std::optional<double> rx_bps, tx_bps;
};

struct FilesystemSample {
  std::string mount;
  std::int64_t total = 0, used = 0;  ///< bytes
  double inodes_used = 0;            ///< percent
};

struct InterfaceSample {
  std::string name;
  double rx_bps = 0, tx_bps = 0;  ///< bytes per second
};

/// One second of one machine (topic machine.stats). (machine, boot_id, seq) numbers it.
struct MachineSample {
  std::string machine;
  std::string boot_id;    ///< random at each start of the agent
  std::string host_boot;  ///< the kernel's
  std::string agent;      ///< version of the agent
  std::int64_t seq = 0;
  std::int64_t t = 0;  ///< ms since the epoch
  std::int64_t interval_ms = 1000;
  struct Cpu {
    double used = 0, user = 0, system = 0, iowait = 0, steal = 0;  ///< percent of all cores
    int cores = 0;
  } cpu;
  double load[3] = {0, 0, 0};
  struct Mem {
    std::int64_t total = 0, available = 0, cached = 0, swap_used = 0;
  } mem;
  struct Pressure {
    double cpu = 0, mem = 0, io = 0;  ///< "some", avg10, percent
  };
  std::optional<Pressure> psi;
  std::vector<FilesystemSample> fs;
  struct Disk {
    double read_bps = 0, write_bps = 0, busy = 0;  ///< busy: percent
  } disk;
  std::vector<InterfaceSample> net;
  std::optional<double> temp;
  double uptime_s = 0;
  std::int64_t dropped = 0;  ///< samples that this agent had to drop since its start
  std::vector<ContainerSample> containers;
};

/// Lenient where a field is bad (NaN, out of range: that field is left out and counted in `bad_fields`),
/// strict about machine, boot_id, seq and t, without which a sample cannot be placed.
Result<MachineSample> parse_machine_sample(std::string_view json, int* bad_fields = nullptr);
/// Appends the sample's JSON to `out`; the agent reuses one buffer.
void append_json(const MachineSample& sample, std::string& out);

}  // namespace slipway::messages
