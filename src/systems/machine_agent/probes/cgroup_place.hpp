#pragma once

#include <filesystem>
#include <string_view>

#include "base/result.hpp"

namespace slipway::machine_agent {

/// Where the control groups of this agent's Engine are: the folders in which each container has one folder.
/// With version 2 all are the same; with version 1 each controller has its own hierarchy, and one that the
/// kernel lacks is empty.
struct CgroupPlace {
  bool v2 = false;
  std::filesystem::path cpuacct, cpu, memory, pids;
};

/// The container id (64 hex digits) in a folder's name: `<id>` (cgroupfs driver) or `docker-<id>.scope`
/// (systemd driver); empty if the folder is no container's.
std::string_view find_container_id(std::string_view folder);

/// Finds the place from this process's own group (`root`/proc/self/cgroup): the agent is a container of the
/// Engine that it watches, so the others are its siblings, and those of another Engine on the same kernel,
/// which has its own --cgroup-parent, are not. invalid when the own group is a root: a private cgroup
/// namespace.
Result<CgroupPlace> find_cgroup_place(const std::filesystem::path& root);

}  // namespace slipway::machine_agent
