#include <cstdio>
#include <string>
#include <vector>

#include "systems/machine_agent/health_probe/command.hpp"

int main(int argc, char** argv) {
  using namespace slipway;
  constexpr int kUsageError = 2;
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  const auto command = health_probe::parse_command(arguments);
  if (!command) {
    std::fprintf(stderr, "slipway-probe: %s\n\n%s", command.error().message.c_str(), health_probe::kUsage);
    return kUsageError;
  }
  SystemClock clock;
  return health_probe::run(*command, clock, SLIPWAY_VERSION);
}
