#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <ostream>

#include "base/text.hpp"
#include "cli/api.hpp"
#include "cli/commands.hpp"
#include "cli/output.hpp"
#include "cli/status_text.hpp"

namespace slipway::cli {
namespace {

using nlohmann::json;

/// The two without which nothing can be said or stored: exit code 5.
std::optional<Error> unreachable_peer(const json& status) {
  if (!status.contains("systems") || !status["systems"].is_array()) return std::nullopt;
  for (const json& system : status["systems"]) {
    const std::string name = text_of(system, "name");
    if ((name == "Kafka" || name == "Repository") && text_of(system, "state") == "down")
      return unavailable(name == "Kafka" ? "kafka.unreachable" : "repository.unreachable",
                         name + " is down: " + text_of(system, "detail"));
  }
  return std::nullopt;
}

}  // namespace

int status(Session& session) {
  auto api = Api::connect(session);
  if (!api) return fail(session, api.error());
  const auto told = api->get("/api/v1/status");
  if (!told) return fail(session, told.error());
  if (session.format == Format::kName) {
    write_value(session, (*told)["services"]);
  } else if (!write_value(session, *told)) {
    session.world.out << status_text(*told, session.world.clock.now(),
                                     {session.unicode, session.format == Format::kWide});
  }
  const auto peer = unreachable_peer(*told);
  if (!peer) return 0;
  say_error(session, *peer);
  return static_cast<int>(ExitCode::kUnreachable);
}

int doctor(Session& session) {
  auto api = Api::connect(session);
  if (!api) return fail(session, api.error());
  const auto told = api->get("/api/v1/status");
  if (!told) return fail(session, told.error());
  const json checks = doctor_checks(*told, session.server);
  const bool well = std::ranges::all_of(checks, [](const json& check) { return check["ok"].get<bool>(); });
  if (!write_value(session, {{"ok", well}, {"checks", checks}}))
    session.world.out << doctor_text(checks, session.unicode);
  if (const auto peer = unreachable_peer(*told)) {
    say_error(session, *peer);
    return static_cast<int>(ExitCode::kUnreachable);
  }
  return static_cast<int>(well ? ExitCode::kDone : ExitCode::kUnexpected);
}

}  // namespace slipway::cli
