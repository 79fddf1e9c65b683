#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "ports/container.hpp"

// Names and labels of what Slipway makes on a machine. The truth is in the labels; names are the Engine's
// fence.
namespace slipway::deployment_manager {

inline constexpr std::string_view kLabelInstance = "slipway.instance";
inline constexpr std::string_view kLabelRole = "slipway.role";  ///< service, agent, probe
inline constexpr std::string_view kLabelService = "slipway.service";
inline constexpr std::string_view kLabelRelease = "slipway.release";
inline constexpr std::string_view kLabelReplica = "slipway.replica";
inline constexpr std::string_view kLabelRequest = "slipway.request";
inline constexpr std::string_view kLabelImage = "slipway.image";
inline constexpr std::string_view kLabelAgentConfig = "slipway.agent_config";
inline constexpr std::string_view kLabelAgentVersion = "slipway.agent_version";
inline constexpr std::string_view kLabelRestart = "slipway.restart";  ///< the policy to restore
inline constexpr std::string_view kLabelLimits = "slipway.limits";    ///< and the limits
inline constexpr std::string_view kLabelBuild = "slipway.build";  ///< of a build's own containers: instance

/// "<key>=<value>", as label filters want it.
std::string label(std::string_view key, std::string_view value);

/// "boiler-monitor-7-1", with "<instance>." in front where the instance is not "default".
std::string container_name(std::string_view instance, std::string_view service, std::int64_t release,
                           int replica);
std::string agent_name(std::string_view instance);
/// The bridge of this installation's services on a machine.
std::string network_name(std::string_view instance);

std::string_view find_label(const std::map<std::string, std::string>& labels, std::string_view key);

/// Release of a service container of ours; nothing if the labels do not say so.
std::optional<std::int64_t> release_of(const std::map<std::string, std::string>& labels);

/// As Docker names it in images: "amd64" for the kernel's "x86_64".
std::string docker_architecture(std::string_view machine);

bool is_ours(const ports::Container& container, std::string_view instance);

}  // namespace slipway::deployment_manager
