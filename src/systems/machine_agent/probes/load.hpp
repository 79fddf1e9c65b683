#pragma once

#include <array>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "systems/machine_agent/probes/kept_file.hpp"

namespace slipway::machine_agent {

/// Tasks that ran or waited, averaged over 1, 5 and 15 minutes.
using Load = std::array<double, 3>;

/// Percent of the last 10 s in which at least one task waited for the resource ("some avg10").
struct Pressure {
  double cpu = 0, mem = 0, io = 0;
};

Result<Load> parse_load(std::string_view text);
/// Seconds since the kernel started.
Result<double> parse_uptime(std::string_view text);
/// "some avg10" of one file of /proc/pressure.
Result<double> parse_pressure(std::string_view text);

/// Load, uptime and pressure of the machine. Not for sharing between threads.
class LoadProbe {
 public:
  explicit LoadProbe(const std::filesystem::path& root);
  Result<Load> load(std::string& buffer);
  Result<double> uptime(std::string& buffer);
  /// Nothing on a kernel that does not measure it (before 4.20, or `psi=0`).
  Result<std::optional<Pressure>> pressure(std::string& buffer);

 private:
  KeptFile load_, uptime_, pressure_cpu_, pressure_memory_, pressure_io_;
  bool has_pressure_ = true;
};

}  // namespace slipway::machine_agent
