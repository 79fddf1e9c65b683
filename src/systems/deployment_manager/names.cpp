#include "systems/deployment_manager/names.hpp"

#include <fmt/format.h>

#include <charconv>

namespace slipway::deployment_manager {
namespace {

std::string prefixed(std::string_view instance, std::string name) {
  return instance == "default" ? name : fmt::format("{}.{}", instance, name);
}

}  // namespace

std::string docker_architecture(std::string_view machine) {
  if (machine == "x86_64") return "amd64";
  if (machine == "aarch64") return "arm64";
  return std::string(machine);
}

std::string label(std::string_view key, std::string_view value) {
  return fmt::format("{}={}", key, value);
}

std::string container_name(std::string_view instance, std::string_view service, std::int64_t release,
                           int replica) {
  return prefixed(instance, fmt::format("{}-{}-{}", service, release, replica));
}

std::string agent_name(std::string_view instance) {
  return prefixed(instance, "slipway-agent");
}

std::string network_name(std::string_view instance) {
  return prefixed(instance, "slipway");
}

std::string_view find_label(const std::map<std::string, std::string>& labels, std::string_view key) {
  const auto found = labels.find(std::string(key));
  return found == labels.end() ? std::string_view{} : found->second;
}

std::optional<std::int64_t> release_of(const std::map<std::string, std::string>& labels) {
  const std::string_view text = find_label(labels, kLabelRelease);
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

bool is_ours(const ports::Container& container, std::string_view instance) {
  return find_label(container.labels, kLabelInstance) == instance;
}

}  // namespace slipway::deployment_manager
