#pragma once

#include <map>
#include <mutex>
#include <stop_token>
#include <string>

#include "systems/deployment_manager/sample_watch.hpp"
#include "systems/deployment_manager/world.hpp"

namespace slipway::deployment_manager {

/// Puts the Machine Agent of the right version on machines, with the volume that carries the health probe.
/// Any thread may call; calls for one machine wait for each other.
class AgentKeeper {
 public:
  AgentKeeper(World& world, const SampleWatch& samples) : world_(world), samples_(samples) {}

  struct Put {
    std::string version;
    bool started = false;     ///< false: it ran already
    std::string old_boot_id;  ///< of the last sample seen before a start
    MonoTime since{};
  };
  /// Makes sure that it runs. agent.no_image if the build made none for the machine's architecture.
  Result<Put> ensure(const MachineEngine& machine);
  /// Waits for its first sample. agent.silent (kUnavailable) with what to look at.
  Status wait_for_sample(const MachineEngine& machine, const Put& put, MonoTime deadline,
                         const std::stop_token& stop);
  /// Name of the volume with the probe for this engine, populated if it was not there.
  Result<std::string> probe_volume(ports::Engine& engine);
  Status remove(const MachineEngine& machine);
  /// The agent's image for this engine, which carries the probe too, loaded if it was not there.
  Result<AgentImage> supply_image(ports::Engine& engine);

 private:
  struct Wanted {
    AgentImage image;
    std::string config_digest;
    ports::ContainerSpec spec;
    std::vector<TarEntry> files;
  };
  Result<AgentImage> image_for(ports::Engine& engine);
  Result<Wanted> plan(const MachineEngine& machine);
  Status ensure_image(ports::Engine& engine, const AgentImage& image);
  Status replace(const MachineEngine& machine, const Wanted& wanted,
                 const std::optional<ports::Container>& old);
  std::mutex& mutex_of(const std::string& machine);

  World& world_;
  const SampleWatch& samples_;
  std::mutex mutex_;
  std::map<std::string, std::mutex>
      per_machine_;  // guarded by mutex_; the mutexes live as long as this object
};

/// -1, 0, 1 for versions of dotted numbers: "0.9.0" is older than "0.10.0".
int compare_versions(std::string_view a, std::string_view b);

}  // namespace slipway::deployment_manager
