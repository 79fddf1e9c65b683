#pragma once

#include <map>
#include <string>
#include <vector>

#include "systems/deployment_manager/world.hpp"

namespace slipway::deployment_manager {

/// What Slipway made for a moment and a kill left behind on one machine: probes, containers of builds, agents
/// beside the one that counts. How long each is there is counted here, by our own clock. One thread.
class Orphans {
 public:
  explicit Orphans(World& world) : world_(world) {}
  Status sweep(const MachineEngine& machine);

 private:
  struct Suspect {
    ports::Container container;
    std::chrono::seconds patience;
  };
  Result<std::vector<Suspect>> find(ports::Engine& engine) const;

  World& world_;
  std::map<std::string, MonoTime> seen_since_;  // by container id
};

/// Archives of images that a killed server left in the temporary folder: those that nobody wrote to for an
/// hour.
void remove_left_image_files(const Log& log);

}  // namespace slipway::deployment_manager
