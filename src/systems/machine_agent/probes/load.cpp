#include "systems/machine_agent/probes/load.hpp"

#include <utility>

#include "systems/machine_agent/probes/scan.hpp"

namespace slipway::machine_agent {

Result<Load> parse_load(std::string_view text) {
  Scan words{text};
  Load load{};
  for (auto& value : load) {
    const auto number = words.decimal();
    if (!number) return internal_error("probe.format", "/proc/loadavg: fewer than three numbers");
    value = *number;
  }
  return load;
}

Result<double> parse_uptime(std::string_view text) {
  if (const auto seconds = Scan{text}.decimal()) return *seconds;
  return internal_error("probe.format", "/proc/uptime: no number");
}

Result<double> parse_pressure(std::string_view text) {
  constexpr std::string_view kStart = "some avg10=";
  if (text.starts_with(kStart))
    if (const auto percent = Scan{text.substr(kStart.size())}.decimal()) return *percent;
  return internal_error("probe.format", "/proc/pressure: does not start with 'some avg10='");
}

LoadProbe::LoadProbe(const std::filesystem::path& root)
    : load_(root / "proc/loadavg"),
      uptime_(root / "proc/uptime"),
      pressure_cpu_(root / "proc/pressure/cpu"),
      pressure_memory_(root / "proc/pressure/memory"),
      pressure_io_(root / "proc/pressure/io") {}

Result<Load> LoadProbe::load(std::string& buffer) {
  SLIPWAY_ASSIGN(const auto text, load_.read(buffer));
  return parse_load(text);
}

Result<double> LoadProbe::uptime(std::string& buffer) {
  SLIPWAY_ASSIGN(const auto text, uptime_.read(buffer));
  return parse_uptime(text);
}

Result<std::optional<Pressure>> LoadProbe::pressure(std::string& buffer) {
  if (!has_pressure_) return std::nullopt;
  Pressure pressure;
  for (const auto& [file, value] : {std::pair{&pressure_cpu_, &pressure.cpu},
                                    {&pressure_memory_, &pressure.mem},
                                    {&pressure_io_, &pressure.io}}) {
    const auto text = file->read(buffer);
    if (!text) {  // no such file, or EOPNOTSUPP where it is compiled in and switched off
      has_pressure_ = false;
      return std::nullopt;
    }
    SLIPWAY_ASSIGN(*value, parse_pressure(*text));
  }
  return pressure;
}

}  // namespace slipway::machine_agent
