#pragma once

#include <functional>
#include <iosfwd>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "ports/http_client.hpp"
#include "ports/source_archive.hpp"

namespace slipway::cli {

/// What `slipway serve` was asked for; the rest is in the settings file.
struct ServeOptions {
  std::string config;              ///< path, or empty: the default places
  std::vector<std::string> roles;  ///< {"all"}, or names of roles
  bool enable_failpoints = false;  ///< lets $SLIPWAY_FAILPOINTS arm them
};

/// The world of one run of the CLI. Everything must outlive the run.
struct CliContext {
  std::istream& in;
  std::ostream& out;  ///< results
  std::ostream& err;  ///< progress and errors
  bool in_is_terminal = false;
  bool out_is_terminal = false;
  bool err_is_terminal = false;
  int columns = 80;  ///< of the terminal
  std::function<std::optional<std::string>(const std::string& name)> env;
  ports::HttpClientFactory connect;
  const Archives& archives;
  Clock& clock;
  std::stop_token interrupted;  ///< requested by SIGINT and SIGTERM (not for serve)
  std::function<int(const ServeOptions&)> serve;
  std::string user;     ///< who asks, for `requested_by`
  std::string version;  ///< of this program
};

/// Runs one command; `args` without the program's name. The exit code of EXPERIENCE.md (exit_code.hpp).
int run_cli(std::vector<std::string> args, CliContext& context);

}  // namespace slipway::cli
