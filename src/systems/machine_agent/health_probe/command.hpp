#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "systems/machine_agent/health_probe/check.hpp"
#include "systems/machine_agent/health_probe/put.hpp"
#include "systems/machine_agent/health_probe/wait.hpp"

namespace slipway::health_probe {

struct CheckCommand {
  Check check;
  milliseconds timeout{2000};
};
struct WaitCommand {
  Check check;
  WaitTimes times;
};
struct Endpoint {
  std::string host;
  std::uint16_t port = 0;
};
/// Can one of these be reached by TCP from here?
struct ConnectCommand {
  std::vector<Endpoint> endpoints;
  milliseconds timeout{2000};  ///< for each
};
struct VersionCommand {};

using Command = std::variant<CheckCommand, WaitCommand, ConnectCommand, PutOptions, VersionCommand>;

/// How the program is used.
extern const char* const kUsage;

/// The arguments after the program's name. invalid says what is wrong with them.
Result<Command> parse_command(std::span<const std::string> arguments);

/// "host:port", "[::1]:9092".
Result<Endpoint> parse_endpoint(std::string_view text);

/// Does it, with one line on standard output for each result. 0: good; 1: not.
int run(const Command& command, Clock& clock, const std::string& version);

}  // namespace slipway::health_probe
