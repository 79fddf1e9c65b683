#include "systems/machine_agent/probes/temperature.hpp"

#include <algorithm>
#include <charconv>

namespace slipway::machine_agent {

TemperatureProbe::TemperatureProbe(const std::filesystem::path& root) {
  std::error_code failure;
  for (std::filesystem::directory_iterator it{root / "sys/class/thermal", failure}, end;
       !failure && it != end; it.increment(failure))
    if (it->path().filename().native().starts_with("thermal_zone")) zones_.emplace_back(it->path() / "temp");
}

std::optional<double> TemperatureProbe::step(std::string& buffer) {
  if (calls_++ % kEvery != 0) return hottest_;
  hottest_.reset();
  for (auto& zone : zones_) {
    const auto text = zone.read(buffer);
    int millidegrees = 0;
    if (!text || std::from_chars(text->data(), text->data() + text->size(), millidegrees).ec != std::errc{})
      continue;  // a zone that is switched off answers with an error
    hottest_ = std::max(hottest_.value_or(-273.15), millidegrees / 1000.0);
  }
  return hottest_;
}

}  // namespace slipway::machine_agent
