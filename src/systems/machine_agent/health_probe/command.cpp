#include "systems/machine_agent/health_probe/command.hpp"

#include <unistd.h>

#include <charconv>
#include <cstdio>

#include "base/text.hpp"
#include "systems/machine_agent/health_probe/socket.hpp"

namespace slipway::health_probe {

const char* const kUsage =
    "slipway-probe http|tcp --port P [--path /healthz] [--timeout 2s]          is it well? (once)\n"
    "slipway-probe wait http|tcp --port P [--path /] [--timeout 2s] [--healthy-for 5s] [--deadline 60s]\n"
    "slipway-probe connect HOST:PORT[,HOST:PORT] [--timeout 2s]                can one be reached from "
    "here?\n"
    "slipway-probe put PATH [--mode 0444] [--owner UID:GID]                    standard input -> file, at "
    "once\n"
    "slipway-probe --version\n";

namespace {

Error wrong(const std::string& problem) {
  return invalid("probe.usage", problem);
}

template <class Number>
Result<Number> to_number(std::string_view text, const std::string& what, int base = 10) {
  Number value{};
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (failure != std::errc{} || end != text.data() + text.size())
    return wrong(what + ": '" + std::string{text} + "' is no number that fits");
  return value;
}

Result<std::uint16_t> parse_port(std::string_view text) {
  SLIPWAY_ASSIGN(const auto port, to_number<std::uint16_t>(text, "port"));
  if (port == 0) return wrong("port: 0 is none");
  return port;
}

Status read_duration(const std::string& text, milliseconds& into) {
  SLIPWAY_ASSIGN(into, parse_duration(text));
  return {};
}

// A path goes into the request line as it is: no blanks or controls, which would end it.
Result<std::string> parse_path(const std::string& text) {
  if (!text.starts_with('/')) return wrong("--path: '" + text + "' does not start with /");
  for (const char c : text)
    if (static_cast<unsigned char>(c) <= ' ' || c == 0x7f)
      return wrong("--path: has a blank or control character");
  return text;
}

Result<std::pair<uid_t, gid_t>> parse_owner(std::string_view text) {
  const auto colon = text.find(':');
  if (colon == std::string_view::npos) return wrong("--owner: want UID:GID");
  SLIPWAY_ASSIGN(const auto user, to_number<uid_t>(text.substr(0, colon), "--owner"));
  SLIPWAY_ASSIGN(const auto group, to_number<gid_t>(text.substr(colon + 1), "--owner"));
  return std::pair{user, group};
}

/// Hands each "--name value" to `take`, which answers wrong(...) to a name that it does not know.
template <class Take>
Status read_options(std::span<const std::string> arguments, Take&& take) {
  for (std::size_t i = 0; i < arguments.size(); i += 2) {
    if (i + 1 == arguments.size()) return wrong(arguments[i] + ": has no value");
    SLIPWAY_TRY(take(arguments[i], arguments[i + 1]));
  }
  return {};
}

Result<WaitCommand> parse_check(std::span<const std::string> arguments, bool waits) {
  WaitCommand command;
  if (arguments.empty()) return wrong("want http or tcp");
  if (arguments[0] == "http")
    command.check.kind = Check::Kind::kHttp;
  else if (arguments[0] != "tcp")
    return wrong("'" + arguments[0] + "': want http or tcp");
  SLIPWAY_TRY(
      read_options(arguments.subspan(1), [&](const std::string& name, const std::string& value) -> Status {
        if (name == "--port") {
          SLIPWAY_ASSIGN(command.check.port, parse_port(value));
          return {};
        }
        if (name == "--path") {
          SLIPWAY_ASSIGN(command.check.path, parse_path(value));
          return {};
        }
        if (name == "--timeout") return read_duration(value, command.times.timeout);
        if (waits && name == "--healthy-for") return read_duration(value, command.times.healthy_for);
        if (waits && name == "--deadline") return read_duration(value, command.times.deadline);
        return wrong("unknown option " + name);
      }));
  if (command.check.port == 0) return wrong("--port is missing");
  return command;
}

Result<Command> parse_connect(std::span<const std::string> arguments) {
  ConnectCommand command;
  if (arguments.empty()) return wrong("want HOST:PORT");
  for (const auto& text : split(arguments[0], ',')) {
    SLIPWAY_ASSIGN(auto endpoint, parse_endpoint(text));
    command.endpoints.push_back(std::move(endpoint));
  }
  SLIPWAY_TRY(
      read_options(arguments.subspan(1), [&](const std::string& name, const std::string& value) -> Status {
        if (name == "--timeout") return read_duration(value, command.timeout);
        return wrong("unknown option " + name);
      }));
  return command;
}

Result<Command> parse_put(std::span<const std::string> arguments) {
  PutOptions options;
  if (arguments.empty() || arguments[0].starts_with('-')) return wrong("want a path");
  options.path = arguments[0];
  SLIPWAY_TRY(
      read_options(arguments.subspan(1), [&](const std::string& name, const std::string& value) -> Status {
        if (name == "--mode") {
          SLIPWAY_ASSIGN(options.mode, to_number<mode_t>(value, "--mode", 8));
          return options.mode <= 07777 ? Status{} : wrong("--mode: want at most 7777");
        }
        if (name == "--owner") {
          SLIPWAY_ASSIGN(options.owner, parse_owner(value));
          return {};
        }
        return wrong("unknown option " + name);
      }));
  return options;
}

void say(const std::string& line) {
  std::printf("%s\n", line.c_str());
  std::fflush(stdout);  // read line by line through the Engine while we go on
}

int report(const Status& status, const std::string& good) {
  say(status ? good : "failed: " + status.error().message);
  return status ? 0 : 1;
}

Status reach(const Endpoint& endpoint, Clock& clock, milliseconds timeout) {
  SLIPWAY_ASSIGN(const auto addresses, resolve(endpoint.host, endpoint.port));
  SLIPWAY_TRY(Connection::open(addresses, clock, clock.mono() + timeout));
  return {};
}

struct Runner {
  Clock& clock;
  const std::string& version;

  int operator()(const CheckCommand& command) const {
    return report(ask(command.check, clock, command.timeout), "ok");
  }
  int operator()(const WaitCommand& command) const {
    const auto ask_once = [&](milliseconds timeout) { return ask(command.check, clock, timeout); };
    return wait_until_healthy(ask_once, command.times, clock, say) ? 0 : 1;
  }
  int operator()(const ConnectCommand& command) const {
    int code = 1;
    for (const auto& endpoint : command.endpoints) {
      const auto name = endpoint.host + ":" + std::to_string(endpoint.port);
      auto reached = reach(endpoint, clock, command.timeout);
      if (!reached) reached = std::move(reached).error().in(name);
      if (report(reached, "ok: " + name) == 0) code = 0;
    }
    return code;
  }
  int operator()(const PutOptions& options) const { return report(put_file(options, STDIN_FILENO), "ok"); }
  int operator()(const VersionCommand&) const { return report({}, version); }
};

}  // namespace

Result<Endpoint> parse_endpoint(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return wrong("'" + std::string{text} + "': want HOST:PORT");
  auto host = text.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  if (host.empty()) return wrong("'" + std::string{text} + "': want HOST:PORT");
  SLIPWAY_ASSIGN(const auto port, parse_port(text.substr(colon + 1)));
  return Endpoint{std::string{host}, port};
}

Result<Command> parse_command(std::span<const std::string> arguments) {
  if (arguments.empty()) return wrong("want a command");
  const auto& name = arguments[0];
  if (name == "--version") return VersionCommand{};
  if (name == "connect") return parse_connect(arguments.subspan(1));
  if (name == "put") return parse_put(arguments.subspan(1));
  if (name == "wait") {
    SLIPWAY_ASSIGN(const auto command, parse_check(arguments.subspan(1), true));
    return command;
  }
  SLIPWAY_ASSIGN(const auto command, parse_check(arguments, false));
  return CheckCommand{command.check, command.times.timeout};
}

int run(const Command& command, Clock& clock, const std::string& version) {
  return std::visit(Runner{clock, version}, command);
}

}  // namespace slipway::health_probe
