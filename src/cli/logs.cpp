#include <nlohmann/json.hpp>
#include <ostream>

#include "base/backoff.hpp"
#include "base/text.hpp"
#include "base/url.hpp"
#include "cli/api.hpp"
#include "cli/commands.hpp"
#include "cli/output.hpp"

namespace slipway::cli {
namespace {

using nlohmann::json;

int follow_logs(Session& session, Api& api, const LogOptions& options) {
  std::ostream& out = session.world.out;
  const std::string base = "/api/v1/services/" + percent_encode(options.service) + "/logs?follow=true&tail=";
  std::size_t tail = options.tail;
  Backoff backoff;
  const auto on_event = [&](std::string_view event, const json& data) {
    backoff.reset();
    tail = 0;  // after a break, only what is new
    if (event == "log" && session.format == Format::kJson)
      out << data.dump() << "\n";
    else if (event == "log")
      out << escape_for_people(text_of(data, "text")) << "\n";
    if (event == "container")
      session.world.err << "== " << escape_for_people(text_of(data, "container")) << " on "
                        << escape_for_people(text_of(data, "machine")) << "\n";
    if (event == "note") session.world.err << "== " << escape_for_people(text_of(data, "text")) << "\n";
    out.flush();
    return static_cast<bool>(out);
  };
  for (;;) {
    const Status ended = api.stream(base + std::to_string(tail), on_event, session.world.interrupted);
    if (ended || session.world.interrupted.stop_requested()) return 0;
    if (!ended.error().retryable() || (backoff.tries() == 0 && tail != 0))
      return fail(session, ended.error());
    session.world.clock.sleep(backoff.next(), session.world.interrupted);
  }
}

}  // namespace

int logs(Session& session, const LogOptions& options) {
  auto api = Api::connect(session);
  if (!api) return fail(session, api.error());
  if (options.follow) return follow_logs(session, *api, options);
  const auto told = api->get("/api/v1/services/" + percent_encode(options.service) +
                             "/logs?tail=" + std::to_string(options.tail));
  if (!told) return fail(session, told.error());
  if (write_value(session, *told)) return 0;
  if (text_of(*told, "source") == "failure")
    session.world.err << "== no container is there: last lines of the failed deployment "
                      << escape_for_people(text_of(*told, "request_id")) << "\n";
  if (told->contains("lines"))
    for (const json& line : (*told)["lines"])
      if (line.is_string()) session.world.out << escape_for_people(line.get<std::string>()) << "\n";
  return 0;
}

}  // namespace slipway::cli
