#include "systems/deployment_manager/world.hpp"

#include <fmt/format.h>

#include "base/text.hpp"

namespace slipway::deployment_manager {

Result<MachineEngine> open_machine(World& world, const std::string& name) {
  SLIPWAY_ASSIGN(auto found, world.repository.machines().find(name));
  if (!found || found->machine.removed) {
    std::vector<std::string> names;
    if (auto all = world.repository.machines().all(); all)
      for (const auto& other : *all) names.push_back(other.machine.name);
    const auto near = did_you_mean(name, names);
    return not_found(
        "machine.unknown", fmt::format("no machine '{}' is registered", escape_for_people(name)),
        near ? fmt::format("did you mean '{}'?", *near) : "slipway machine add NAME --docker ENDPOINT");
  }
  SLIPWAY_ASSIGN(auto engine, world.engines.open(found->machine.docker, found->machine.tls));
  return MachineEngine{found->machine, std::move(engine)};
}

}  // namespace slipway::deployment_manager
