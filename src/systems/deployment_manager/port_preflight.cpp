#include "systems/deployment_manager/port_preflight.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace slipway::deployment_manager {
namespace {

constexpr const char* kOtherPort = "publish on another port, or on \"0:8080\" for a free one";

using Ports = std::vector<meta_file::PortMapping>;

bool is_any(const std::string& address) {
  return address.empty() || address == "0.0.0.0" || address == "::";
}

bool collide(const meta_file::PortMapping& one, const meta_file::PortMapping& other) {
  return one.published != 0 && one.published == other.published && one.protocol == other.protocol &&
         (one.host_ip == other.host_ip || is_any(one.host_ip) || is_any(other.host_ip));
}

// Of "tcp://10.0.0.9:2376"; none of "unix:///...".
std::string engine_port(const std::string& endpoint) {
  if (!endpoint.starts_with("tcp://")) return {};
  return endpoint.substr(endpoint.rfind(':') + 1);
}

// A service that is to run on the machine, whether it does at this moment or not.
bool serves_on(const ports::Lane& lane, const std::string& machine) {
  return lane.wanted == ports::Wanted::kRunning && lane.committed &&
         std::ranges::find(lane.machines, machine) != lane.machines.end();
}

// What a service publishes. One whose release cannot be read holds nothing up: the Engine has the last word.
Result<Ports> ports_of(World& world, const ports::Lane& lane) {
  const ports::Release named{.service_id = lane.service_id, .number = *lane.committed};
  SLIPWAY_ASSIGN(const auto release, world.repository.releases().find(named.id()));
  if (!release) return Ports{};
  const auto spec = meta_file::spec_from_json(nlohmann::json::parse(release->spec, nullptr, false));
  return spec ? spec->ports : Ports{};
}

}  // namespace

Status check_ports(World& world, const messages::Machine& machine, const meta_file::ServiceSpec& spec) {
  const auto fixed = [](const auto& port) { return port.published != 0; };
  if (std::ranges::none_of(spec.ports, fixed)) return {};
  const std::string engine = engine_port(machine.docker);
  for (const auto& port : spec.ports)
    if (port.protocol == "tcp" && std::to_string(port.published) == engine)
      return invalid("meta.port_forbidden",
                     fmt::format("port {} is where the Engine of {} listens", port.published, machine.name),
                     kOtherPort);
  SLIPWAY_ASSIGN(const auto lanes, world.repository.lanes().all());
  for (const auto& lane : lanes) {
    if (lane.service_id == spec.name || !serves_on(lane, machine.name)) continue;
    SLIPWAY_ASSIGN(const auto taken, ports_of(world, lane));
    for (const auto& port : spec.ports)
      if (std::ranges::any_of(taken, [&](const auto& other) { return collide(port, other); }))
        return invalid("meta.port_conflict",
                       fmt::format("port {} of {} is published by the service {}", port.published,
                                   machine.name, lane.service_id),
                       kOtherPort);
  }
  return {};
}

}  // namespace slipway::deployment_manager
