#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <ostream>

#include "base/text.hpp"
#include "cli/api.hpp"
#include "cli/commands.hpp"
#include "cli/output.hpp"

namespace slipway::cli {
namespace {

using nlohmann::json;

// The server looks at every Engine, reads the status topic, and does both twice where something is wrong.
constexpr milliseconds kCheckDeadline{5 * 60'000};

std::string line_of(const json& finding, bool unicode) {
  return escape_for_people(fmt::format("  {} {}: {} ({}). Fix: {}", unicode ? "✗" : "FAIL",
                                       cell(finding, "where"), cell(finding, "what"), cell(finding, "code"),
                                       cell(finding, "fix"))) +
         "\n";
}

std::string text_of_check(const json& checked, bool unicode) {
  std::string text;
  const json& findings = child(checked, "findings");
  if (findings.is_array())
    for (const json& finding : findings) text += line_of(finding, unicode);
  const json& looked = child(checked, "looked_at");
  const auto seen = fmt::format(
      "{:.0f} services, {:.0f} deployments, {:.0f} machines, {:.0f} containers, "
      "{:.0f} status messages",
      number_of(looked, "services"), number_of(looked, "deployments"), number_of(looked, "machines"),
      number_of(looked, "containers"), number_of(looked, "messages"));
  if (text.empty()) return "The world is as the journal says: " + seen + ".\n";
  return text + fmt::format("{:.0f} found in two looks at {}.\n", number_of(checked, "found"), seen);
}

}  // namespace

int check(Session& session) {
  auto api = Api::connect(session);
  if (!api) return fail(session, api.error());
  if (session.for_people()) say_note(session, "comparing what is there with the journal ...");
  const auto told = api->get("/api/v1/check", kCheckDeadline);
  if (!told) return fail(session, told.error());
  const json& ok = child(*told, "ok");
  if (!ok.is_boolean())
    return fail(session, internal_error("server.bad_answer", "the server's answer is no check"));
  if (!write_value(session, *told)) session.world.out << text_of_check(*told, session.unicode);
  return static_cast<int>(ok.get<bool>() ? ExitCode::kDone : ExitCode::kUnexpected);
}

}  // namespace slipway::cli
