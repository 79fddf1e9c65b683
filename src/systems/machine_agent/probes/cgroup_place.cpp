#include "systems/machine_agent/probes/cgroup_place.hpp"

#include <algorithm>
#include <string>

#include "systems/machine_agent/probes/kept_file.hpp"
#include "systems/machine_agent/probes/scan.hpp"

namespace slipway::machine_agent {
namespace {

constexpr std::size_t kIdLength = 64;

// cgroups(7), /proc/pid/cgroup: "4:cpu,cpuacct:/docker/9f3c..." = hierarchy, its controllers, the group in
// it.
struct Line {
  std::string_view controllers, group;
};

std::optional<Line> split_line(std::string_view line) {
  const auto first = line.find(':');
  const auto second = line.find(':', first + 1);
  if (first == std::string_view::npos || second == std::string_view::npos) return std::nullopt;
  return Line{line.substr(first + 1, second - first - 1), line.substr(second + 1)};
}

// The unified hierarchy (version 2) names no controllers.
bool names(std::string_view controllers, std::string_view wanted) {
  if (controllers == wanted) return true;
  while (!controllers.empty()) {
    const auto comma = controllers.find(',');
    if (controllers.substr(0, comma) == wanted) return true;
    controllers.remove_prefix(comma == std::string_view::npos ? controllers.size() : comma + 1);
  }
  return false;
}

Result<std::filesystem::path> parent_folder(const std::filesystem::path& mount, std::string_view group) {
  if (group.size() < 2 || group.starts_with("/.."))
    return invalid("agent.cgroup_namespace", "the agent's own control group is '" + std::string{group} + "'",
                   "start its container with the cgroup namespace of the host");
  const auto parent = std::filesystem::path{group.substr(1)}.parent_path();
  return parent.empty() ? mount : mount / parent;
}

// The hierarchy is mounted under its controllers' names ("cpu,cpuacct"), or under the one.
std::filesystem::path find_mount_folder(const std::filesystem::path& base, std::string_view controllers,
                                        std::string_view wanted) {
  std::error_code failure;
  const auto joint = base / controllers;
  return std::filesystem::exists(joint, failure) ? joint : base / wanted;
}

Result<std::filesystem::path> find_controller(const std::filesystem::path& base, std::string_view own,
                                              std::string_view wanted) {
  Scan lines{own};
  while (const auto text = lines.line()) {
    const auto line = split_line(*text);
    if (line && names(line->controllers, wanted))
      return parent_folder(find_mount_folder(base, line->controllers, wanted), line->group);
  }
  return not_found("agent.cgroup_controller", "no control group hierarchy has '" + std::string{wanted} + "'");
}

}  // namespace

std::string_view find_container_id(std::string_view folder) {
  constexpr std::string_view kScope = ".scope";
  if (folder.size() > kIdLength + kScope.size() && folder.ends_with(kScope)) {
    folder.remove_suffix(kScope.size());
    if (folder[folder.size() - kIdLength - 1] != '-') return {};
    folder.remove_prefix(folder.size() - kIdLength);
  }
  const auto is_hex = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
  return folder.size() == kIdLength && std::ranges::all_of(folder, is_hex) ? folder : std::string_view{};
}

Result<CgroupPlace> find_cgroup_place(const std::filesystem::path& root) {
  std::string buffer;
  SLIPWAY_ASSIGN(const auto own, KeptFile{root / "proc/self/cgroup"}.read(buffer));
  const auto base = root / "sys/fs/cgroup";
  CgroupPlace place;
  std::error_code failure;
  place.v2 = std::filesystem::exists(base / "cgroup.controllers", failure);
  if (place.v2) {
    SLIPWAY_ASSIGN(place.cpu, find_controller(base, own, ""));
    place.cpuacct = place.memory = place.pids = place.cpu;
    return place;
  }
  SLIPWAY_ASSIGN(place.cpuacct, find_controller(base, own, "cpuacct"));
  place.cpu = find_controller(base, own, "cpu").value_or("");
  place.memory = find_controller(base, own, "memory").value_or("");
  place.pids = find_controller(base, own, "pids").value_or("");
  return place;
}

}  // namespace slipway::machine_agent
