#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "systems/machine_agent/probes/kept_file.hpp"

namespace slipway::machine_agent {

/// The hottest thermal zone, degrees Celsius. Asks the firmware only every `kEvery` calls: that can be slow.
class TemperatureProbe {
 public:
  static constexpr int kEvery = 10;
  explicit TemperatureProbe(const std::filesystem::path& root);
  /// Nothing where the machine shows no temperature (most virtual ones).
  std::optional<double> step(std::string& buffer);

 private:
  std::vector<KeptFile> zones_;
  std::optional<double> hottest_;
  int calls_ = 0;
};

}  // namespace slipway::machine_agent
