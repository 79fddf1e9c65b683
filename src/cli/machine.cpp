#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <ostream>
#include <utility>

#include "base/ids.hpp"
#include "base/text.hpp"
#include "base/url.hpp"
#include "cli/api.hpp"
#include "cli/commands.hpp"
#include "cli/output.hpp"
#include "cli/status_text.hpp"
#include "messages/machine.hpp"

namespace slipway::cli {
namespace {

using messages::MachineAction;
using messages::MachineRequest;
using nlohmann::json;

MachineRequest new_request(Session& session, MachineAction action, const std::string& name) {
  MachineRequest request;
  request.request_id = make_id("r-", session.world.clock.now());
  request.action = action;
  request.machine = name;
  request.requested_by = session.world.user;
  return request;
}

/// Sends it and says `done`, or what was wrong.
int ask(Session& session, const MachineRequest& request, const std::string& done) {
  auto api = Api::connect(session);
  if (!api) return fail(session, api.error());
  const auto reply = api->post("/api/v1/machines/requests", messages::to_json(request));
  if (!reply) return fail(session, reply.error());
  if (write_value(session, *reply)) return 0;
  const bool unchanged = reply->value("unchanged", false);
  session.world.out << (unchanged ? request.machine + " is registered like that already." : done) << "\n";
  return 0;
}

Status set_labels(MachineRequest& request, const std::vector<std::string>& words) {
  SLIPWAY_ASSIGN(const auto pairs, read_pairs(words, "label"));
  for (const auto& [key, value] : pairs) request.labels[key] = value;
  return {};
}

Result<json> get(Session& session, const std::string& target) {
  SLIPWAY_ASSIGN(Api api, Api::connect(session));
  return api.get(target);
}

}  // namespace

int machine_add(Session& session, const MachineOptions& options) {
  MachineRequest request = new_request(session, MachineAction::kAdd, options.name);
  request.docker = options.endpoint;
  request.tls = options.tls;
  if (const Status labelled = set_labels(request, options.labels); !labelled)
    return fail(session, labelled.error());
  return ask(session, request,
             fmt::format("Added {} at {}. Its agent comes by itself: slipway machine show {}", options.name,
                         options.endpoint, options.name));
}

int machine_label(Session& session, const MachineOptions& options) {
  MachineRequest request = new_request(session, MachineAction::kLabel, options.name);
  if (const Status labelled = set_labels(request, options.labels); !labelled)
    return fail(session, labelled.error());
  return ask(session, request, "Labelled " + options.name + ".");
}

int machine_remove(Session& session, const std::string& name) {
  if (const Status agreed = confirm(session, "Remove machine " + name + "?"); !agreed)
    return fail(session, agreed.error());
  return ask(session, new_request(session, MachineAction::kRemove, name), "Removed " + name + ".");
}

int machine_list(Session& session) {
  const auto machines = get(session, "/api/v1/machines");
  if (!machines) return fail(session, machines.error());
  if (write_value(session, *machines)) return 0;
  Table table({"NAME", "STATE", "DOCKER", "CPU", "AGENT", "LAST SEEN", "LABELS"});
  for (const json& machine : *machines) {
    const json& usage = child(machine, "usage");
    std::string labels;
    for (const auto& [key, value] : child(machine, "labels").items())
      labels += (labels.empty() ? "" : ",") + key + "=" +
                (value.is_string() ? value.get<std::string>() : value.dump());
    table.add({cell(machine, "name"), cell(machine, "state"), cell(machine, "docker"),
               usage.is_object() ? bar(number_of(usage, "cpu"), session.unicode) : "-",
               cell(machine, "agent"),
               human_age(text_of(machine, "last_sample_at"), session.world.clock.now()), labels});
  }
  session.world.out << (table.empty() ? "No machine yet: slipway machine add NAME --docker ENDPOINT\n"
                                      : table.render());
  return 0;
}

int machine_show(Session& session, const std::string& name) {
  const auto machine = get(session, "/api/v1/machines/" + percent_encode(name));
  if (!machine) return fail(session, machine.error());
  if (write_value(session, *machine)) return 0;
  std::ostream& out = session.world.out;
  const auto line = [&](std::string_view label, const std::string& value) {
    if (!value.empty()) out << fmt::format("{:<12} {}\n", label, escape_for_people(value));
  };
  for (const char* field : {"name", "state", "cause", "docker", "tls", "origin", "engine_error", "agent"})
    line(field, text_of(*machine, field));
  line("last seen", human_age(text_of(*machine, "last_sample_at"), session.world.clock.now()));
  for (const char* group : {"labels", "facts"})
    for (const auto& [key, value] : child(*machine, group).items())
      line(key, value.is_string() ? value.get<std::string>() : value.dump());
  if (const json& usage = child(*machine, "usage"); usage.is_object()) {
    line("cpu", bar(number_of(usage, "cpu"), session.unicode));
    line("memory",
         human_bytes(number_of(usage, "mem_used")) + " of " + human_bytes(number_of(usage, "mem_total")));
    line("disk",
         human_bytes(number_of(usage, "disk_used")) + " of " + human_bytes(number_of(usage, "disk_total")));
  }
  Table table({"CONTAINER", "SERVICE", "RELEASE", "STATE", "HEALTH"});
  for (const json& one : child(*machine, "containers"))
    table.add({cell(one, "container"), cell(one, "service"), cell(one, "release"), cell(one, "state"),
               cell(one, "health")});
  if (!table.empty()) out << "\n" << table.render();
  return 0;
}

}  // namespace slipway::cli
