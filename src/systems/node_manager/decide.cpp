#include "systems/node_manager/decide.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"

namespace slipway::node_manager {
namespace {

using messages::MachineAction;

constexpr std::size_t kLongestName = 40;

bool is_machine_name(std::string_view name) {
  const auto plain = [](unsigned char c) { return std::islower(c) || std::isdigit(c); };
  if (name.empty() || name.size() > kLongestName || !plain(static_cast<unsigned char>(name.front())) ||
      !plain(static_cast<unsigned char>(name.back())))
    return false;
  return std::ranges::all_of(name, [&](unsigned char c) { return plain(c) || c == '-' || c == '.'; });
}

void add(const messages::MachineRequest& request, const Known& known, WallTime now,
         const std::function<Result<ports::EngineInfo>()>& look, Decision& decision) {
  if (!is_machine_name(request.machine)) {
    decision.reply.error = invalid(
        "machine.name", fmt::format("'{}' is no name for a machine", escape_for_people(request.machine)),
        "1-40 of a-z, 0-9, '-' and '.', with a letter or digit at both ends");
    return;
  }
  if (request.docker.empty()) {
    decision.reply.error = invalid("machine.url", "a machine needs the endpoint of its Engine",
                                   "such as unix:///var/run/docker.sock or tcp://10.0.0.9:2376");
    return;
  }
  if (known.machine) {
    const auto& there = *known.machine;
    if (there.docker != request.docker || there.tls != request.tls) {
      decision.reply.error =
          conflict("machine.conflict",
                   fmt::format("{} is registered with {}{}", there.name, there.docker,
                               there.tls.empty() ? "" : fmt::format(" (tls {})", there.tls)),
                   "use its name alone, another name, or remove it first");
      return;
    }
    auto labels = there.labels;
    for (const auto& [key, value] : request.labels) labels[key] = value;
    decision.reply.unchanged = labels == there.labels;
    decision.reply.registered = there;
    decision.reply.registered->labels = labels;
    if (!decision.reply.unchanged) decision.store = decision.reply.registered;
    return;
  }
  const auto info = look();
  if (!info) {
    Error error = info.error();
    if (error.retryable())
      error = unavailable("machine.unreachable",
                          fmt::format("the Engine at {} does not answer: {}", request.docker, error.message),
                          "does dockerd listen there, and may this server reach it?");
    decision.reply.error = error;
    return;
  }
  decision.store = messages::Machine{.name = request.machine,
                                     .docker = request.docker,
                                     .tls = request.tls,
                                     .labels = request.labels,
                                     .origin = request.origin,
                                     .facts = facts_of(*info),
                                     .registered_at = now};
  decision.reply.registered = decision.store;
}

void label(const messages::MachineRequest& request, const messages::Machine& there, Decision& decision) {
  auto labelled = there;
  for (const auto& [key, value] : request.labels) {
    if (value.empty())
      labelled.labels.erase(key);
    else
      labelled.labels[key] = value;
  }
  decision.reply.unchanged = labelled.labels == there.labels;
  decision.reply.registered = labelled;
  if (!decision.reply.unchanged) decision.store = labelled;
}

}  // namespace

std::map<std::string, std::string> facts_of(const ports::EngineInfo& info) {
  return {{"engine", info.version},
          {"api", info.api_version},
          {"arch", info.architecture},
          {"os", info.os},
          {"kernel", info.kernel},
          {"cgroup", std::to_string(info.cgroup_version)},
          {"cpus", std::to_string(info.cpus)},
          {"memory", std::to_string(info.memory)}};
}

Decision decide(const messages::MachineRequest& request, const Known& known, WallTime now,
                const std::function<Result<ports::EngineInfo>()>& look) {
  Decision decision;
  decision.reply.request_id = request.request_id;
  decision.reply.machine = request.machine;
  decision.reply.correlation_id = request.correlation_id;
  if (request.action == MachineAction::kAdd) {
    add(request, known, now, look, decision);
    return decision;
  }
  if (!known.machine) {
    decision.reply.error = not_found(
        "machine.unknown", fmt::format("no machine '{}' is registered", escape_for_people(request.machine)),
        "slipway machine ls");
    return decision;
  }
  if (request.action == MachineAction::kLabel) label(request, *known.machine, decision);
  if (request.action == MachineAction::kRemove) {
    if (!known.services.empty())
      decision.reply.error =
          conflict("machine.in_use", fmt::format("{} runs {}", request.machine, join(known.services, ", ")),
                   "remove or move its services first");
    else
      decision.remove = true;
  }
  return decision;
}

}  // namespace slipway::node_manager
