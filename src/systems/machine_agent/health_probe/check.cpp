#include "systems/machine_agent/health_probe/check.hpp"

#include <algorithm>
#include <charconv>

#include "systems/machine_agent/health_probe/socket.hpp"

namespace slipway::health_probe {
namespace {

constexpr std::size_t kMostAnswer = 64 * 1024;
constexpr milliseconds kGoodbye{
    100};  // for the rest of a good answer: closing before it would look like an error

Result<int> read_status(Connection& connection, std::string& answer, MonoTime deadline) {
  while (answer.find('\n') == std::string::npos) {
    if (answer.size() > kMostAnswer) return invalid("probe.answer", "an answer that is no HTTP");
    SLIPWAY_ASSIGN(const bool more, connection.receive(answer, deadline));
    if (!more) return unavailable("probe.answer", "the connection ended without an answer");
  }
  return parse_status_line(std::string_view{answer}.substr(0, answer.find('\n')));
}

void read_rest(Connection& connection, std::string& answer, MonoTime deadline) {
  while (answer.size() < kMostAnswer) {
    const auto more = connection.receive(answer, deadline);
    if (!more || !*more) return;
  }
}

Status ask_http(Connection& connection, const Check& check, Clock& clock, MonoTime deadline) {
  SLIPWAY_TRY(connection.send("GET " + check.path +
                                  " HTTP/1.1\r\nHost: localhost:" + std::to_string(check.port) +
                                  "\r\nUser-Agent: slipway-probe\r\nAccept: */*\r\nConnection: close\r\n\r\n",
                              deadline));
  std::string answer;
  SLIPWAY_ASSIGN(const int status, read_status(connection, answer, deadline));
  read_rest(connection, answer, std::min(deadline, clock.mono() + kGoodbye));
  if (status < 200 || status > 399) return unavailable("probe.status", "status " + std::to_string(status));
  return {};
}

}  // namespace

// RFC 9112, section 4: HTTP-version SP status-code SP [ reason-phrase ]
Result<int> parse_status_line(std::string_view line) {
  constexpr std::string_view kStart = "HTTP/1.";
  constexpr std::size_t kCodeAt = kStart.size() + 2, kCodeLength = 3;
  int code = 0;
  if (!line.starts_with(kStart) || line.size() < kCodeAt + kCodeLength || line[kCodeAt - 1] != ' ')
    return invalid("probe.answer", "an answer that is no HTTP");
  const auto* begin = line.data() + kCodeAt;
  const auto [end, failure] = std::from_chars(begin, begin + kCodeLength, code);
  if (failure != std::errc{} || end != begin + kCodeLength)
    return invalid("probe.answer", "an answer that is no HTTP");
  return code;
}

Status ask(const Check& check, Clock& clock, milliseconds timeout) {
  const auto deadline = clock.mono() + timeout;
  auto connection = Connection::open(local_addresses(check.port), clock, deadline);
  if (!connection) return std::move(connection).error().in("port " + std::to_string(check.port));
  if (check.kind == Check::Kind::kTcp) return {};
  auto answered = ask_http(*connection, check, clock, deadline);
  if (!answered)
    return std::move(answered).error().in("GET " + check.path + " on port " + std::to_string(check.port));
  return {};
}

}  // namespace slipway::health_probe
