#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "systems/machine_agent/probes/cgroup_place.hpp"
#include "systems/machine_agent/probes/container_counters.hpp"
#include "systems/machine_agent/probes/network.hpp"

namespace slipway::machine_agent {

/// One container over the last interval.
struct ContainerUse {
  std::string id;
  double cpu = 0;        ///< percent of one core
  double throttled = 0;  ///< percent of the interval, 100 at most
  std::int64_t memory = 0, memory_limit = 0, pids = 0;
  std::optional<double> rx_bps, tx_bps;  ///< bytes per second; none with the host's network
};

/// All containers of the Engine that this agent runs on, from the cgroup tree alone. A container appears with
/// its second reading. Not for sharing between threads.
class ContainerProbe {
 public:
  /// Fails where the Engine's place in the cgroup tree cannot be found.
  static Result<ContainerProbe> create(const std::filesystem::path& root);
  ContainerProbe(ContainerProbe&&) noexcept;
  ContainerProbe& operator=(ContainerProbe&&) noexcept;
  ~ContainerProbe();

  /// Use since the last call, `elapsed` ago; valid until the next call.
  Result<std::vector<ContainerUse>*> step(std::chrono::nanoseconds elapsed, std::string& buffer);

 private:
  struct Container;
  struct Folder;
  ContainerProbe(std::filesystem::path root, CgroupPlace place, std::unique_ptr<Folder> folder);
  Status find_containers();
  bool measure(Container& container, std::chrono::nanoseconds elapsed, std::string& buffer);
  /// The bytes of all the container's interfaces but `lo`, as one of its processes sees them.
  std::optional<InterfaceCounters> read_network(Container& container, std::string& buffer) const;

  std::filesystem::path root_;
  CgroupPlace place_;
  std::unique_ptr<Folder> folder_;
  std::uint64_t calls_ = 0;
  std::uint64_t host_network_ = 0;  // inode of the agent's own net/dev
  std::vector<std::unique_ptr<Container>> containers_;
  std::vector<ContainerUse> uses_;
};

}  // namespace slipway::machine_agent
