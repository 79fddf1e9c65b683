#pragma once

#include <map>
#include <string>
#include <string_view>

// What is written on everything that Slipway makes on a machine, as docs/contracts.md has it.
namespace slipway::check {

inline constexpr std::string_view kInstance = "slipway.instance";
inline constexpr std::string_view kRole = "slipway.role";
inline constexpr std::string_view kService = "slipway.service";
inline constexpr std::string_view kRelease = "slipway.release";
inline constexpr std::string_view kRestart = "slipway.restart";
inline constexpr std::string_view kLimits = "slipway.limits";

inline std::string_view find_label(const std::map<std::string, std::string>& labels, std::string_view key) {
  const auto found = labels.find(std::string(key));
  return found == labels.end() ? std::string_view{} : found->second;
}

}  // namespace slipway::check
