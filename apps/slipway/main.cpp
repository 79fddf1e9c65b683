#include <pthread.h>
#include <pwd.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <iostream>
#include <thread>

#include "adapters/archive/archives.hpp"
#include "adapters/http/cli_client.hpp"
#include "base/failpoint.hpp"
#include "base/log.hpp"
#include "cli/cli.hpp"
#include "cli/exit_code.hpp"
#include "serve.hpp"
#include "settings.hpp"

extern char** environ;

namespace {

using namespace slipway;

std::map<std::string, std::string> environment() {
  std::map<std::string, std::string> all;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string text(*entry);
    const auto equals = text.find('=');
    if (equals != std::string::npos) all[text.substr(0, equals)] = text.substr(equals + 1);
  }
  return all;
}

LogLevel level(const std::string& name) {
  if (name == "debug") return LogLevel::kDebug;
  if (name == "warn") return LogLevel::kWarn;
  return name == "error" ? LogLevel::kError : LogLevel::kInfo;
}

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

Result<Failpoints> armed_failpoints(const cli::ServeOptions& options, const Log& log) {
  const std::string wanted = variable("SLIPWAY_FAILPOINTS");
  if (wanted.empty()) return Failpoints();
  if (!options.enable_failpoints)
    return invalid("failpoint.not_enabled", "SLIPWAY_FAILPOINTS is set, and this server does not allow it",
                   "unset it; a test adds --enable-failpoints");
  log.warn("this server will end or stop itself on purpose", {{"failpoints", wanted}});
  return Failpoints::parse(wanted, variable("SLIPWAY_FAILPOINTS_HITS"));
}

int run_server(const cli::ServeOptions& options, const std::stop_token& stop) {
  auto settings = load_settings(options.config, environment());
  if (!settings) {
    std::cerr << "slipway serve: " << to_string(settings.error()) << '\n';
    return 2;
  }
  if (!options.roles.empty()) settings->roles = options.roles;
  const Log log = Log::to_stderr(level(settings->log_level));
  const auto failpoints = armed_failpoints(options, log);
  if (!failpoints) {
    std::cerr << "slipway serve: " << to_string(failpoints.error()) << '\n';
    return 2;
  }
  const auto served = serve(*settings, *failpoints, log, stop);
  if (served) return 0;
  log.error("the server cannot go on", served.error());
  std::cerr << "slipway serve: " << to_string(served.error()) << '\n';
  return static_cast<int>(cli::exit_code(served.error()));
}

std::string user_name() {
  const passwd* entry = getpwuid(geteuid());
  return entry ? entry->pw_name : "uid " + std::to_string(geteuid());
}

int columns() {
  winsize size{};
  return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

// SIGINT and SIGTERM ask to stop; a second one ends at once. SIGPIPE is an error of the write.
std::jthread watch_signals(std::stop_source& stop) {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  return std::jthread([&stop, signals](const std::stop_token& done) {
    const timespec tick{0, 100'000'000};
    while (!done.stop_requested()) {
      if (sigtimedwait(&signals, nullptr, &tick) <= 0) continue;
      if (stop.stop_requested()) _exit(130);
      stop.request_stop();
    }
  });
}

}  // namespace

int main(int argc, char** argv) {
  std::stop_source stop;
  const auto signals = watch_signals(stop);
  SystemClock clock;
  const auto archives = archive::make_archives();
  cli::CliContext context{
      .in = std::cin,
      .out = std::cout,
      .err = std::cerr,
      .in_is_terminal = isatty(STDIN_FILENO) == 1,
      .out_is_terminal = isatty(STDOUT_FILENO) == 1,
      .err_is_terminal = isatty(STDERR_FILENO) == 1,
      .columns = columns(),
      .env = [](const std::string& name) -> std::optional<std::string> {
        const char* value = std::getenv(name.c_str());
        return value ? std::optional<std::string>(value) : std::nullopt;
      },
      .connect = http::cli_client_factory(),
      .archives = *archives,
      .clock = clock,
      .interrupted = stop.get_token(),
      .serve = [&](const cli::ServeOptions& options) { return run_server(options, stop.get_token()); },
      .user = user_name(),
      .version = SLIPWAY_VERSION};
  return cli::run_cli({argv + 1, argv + argc}, context);
}
