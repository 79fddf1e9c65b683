#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <ostream>

#include "base/text.hpp"
#include "base/url.hpp"
#include "cli/api.hpp"
#include "cli/commands.hpp"
#include "cli/output.hpp"

namespace slipway::cli {
namespace {

using nlohmann::json;

void line(std::ostream& out, std::string_view name, const std::string& value) {
  if (!value.empty()) out << fmt::format("{:<10} {}\n", name, escape_for_people(value));
}

void print_lists(Session& session, const json& service) {
  std::ostream& out = session.world.out;
  const WallTime now = session.world.clock.now();
  for (const json& port : child(service, "ports"))
    line(out, "port", cell(port, "target") + " at " + cell(port, "address"));
  for (const json& sensor : child(service, "sensors"))
    line(out, "sensor",
         fmt::format("{} {} <- {}", cell(sensor, "name"), cell(sensor, "state"), cell(sensor, "topic")));
  Table releases({"RELEASE", "VERSION", "PATH", "IMAGE", "MADE"});
  for (const json& release : child(service, "releases"))
    releases.add({cell(release, "number"), cell(release, "version"), cell(release, "path"),
                  cell(release, "image"), human_age(text_of(release, "created_at"), now)});
  if (!releases.empty()) out << "\n" << releases.render();
  Table history({"WHEN", "EVENT", "STATE", "RELEASE", "WHAT"});
  for (const json& entry : child(service, "history"))
    history.add({human_age(text_of(entry, "at"), now), cell(entry, "event"), cell(entry, "state"),
                 cell(entry, "release"), text_of(entry, "message")});
  if (!history.empty()) out << "\n" << history.render();
}

}  // namespace

int show(Session& session, const ShowOptions& options) {
  auto api = Api::connect(session);
  if (!api) return fail(session, api.error());
  const auto service = api->get("/api/v1/services/" + percent_encode(options.service));
  if (!service) return fail(session, service.error());
  std::ostream& out = session.world.out;
  if (options.dockerfile) {
    const std::string text = text_of(*service, "dockerfile");
    if (text.empty())
      return fail(session, not_found("release.no_dockerfile", options.service + " has no Dockerfile",
                                     "no release is committed, or it uses a prebuilt image"));
    out << text << (text.ends_with('\n') ? "" : "\n");
    return 0;
  }
  if (write_value(session, *service)) return 0;
  line(out, "service", text_of(*service, "name"));
  for (const char* field :
       {"state", "health", "release", "version", "machine", "path", "image", "last_error"})
    line(out, field, text_of(*service, field));
  print_lists(session, *service);
  return 0;
}

}  // namespace slipway::cli
