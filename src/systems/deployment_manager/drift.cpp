#include "systems/deployment_manager/drift.hpp"

#include <fmt/format.h>

#include <charconv>

#include "base/text.hpp"
#include "systems/deployment_manager/names.hpp"

namespace slipway::deployment_manager {
namespace {

// "on-failure" is "on-failure:0" in the Engine's words.
std::string same_words(std::string_view policy) {
  return policy == "on-failure" ? "on-failure:0" : std::string(policy);
}

}  // namespace

std::string encode_limits(const ports::Limits& limits) {
  return fmt::format("memory={} nano_cpus={} pids={}", limits.memory, limits.nano_cpus, limits.pids);
}

std::optional<ports::Limits> decode_limits(std::string_view label) {
  ports::Limits limits;
  int known = 0;
  for (const auto& part : split(std::string(label), ' ')) {
    const auto equals = part.find('=');
    if (equals == std::string::npos) return std::nullopt;
    std::int64_t number = 0;
    const char* last = part.data() + part.size();
    const auto [end, error] = std::from_chars(part.data() + equals + 1, last, number);
    if (error != std::errc{} || end != last) return std::nullopt;
    const auto name = part.substr(0, equals);
    if (name == "memory") ++known, limits.memory = number;
    if (name == "nano_cpus") ++known, limits.nano_cpus = number;
    if (name == "pids") ++known, limits.pids = number;
  }
  return known == 3 ? std::optional(limits) : std::nullopt;
}

Drift find_drift(const ports::Container& container) {
  Drift drift;
  std::vector<std::string> words;
  if (container.state == "paused") {
    drift.paused = true;
    words.emplace_back("it was paused");
  }
  const std::string policy(find_label(container.labels, kLabelRestart));
  if (!policy.empty() && same_words(policy) != same_words(container.restart)) {
    drift.policy = policy;
    words.push_back(fmt::format("its restart policy was {}, not {}", container.restart, policy));
  }
  const auto limits = decode_limits(find_label(container.labels, kLabelLimits));
  if (limits && *limits != container.limits) {
    drift.limits = limits;
    words.push_back(
        fmt::format("its limits were {}, not {}", encode_limits(container.limits), encode_limits(*limits)));
  }
  drift.words = join(words, "; ");
  return drift;
}

Status mend_drift(ports::Engine& engine, const std::string& id, const Drift& drift) {
  if (drift.limits) SLIPWAY_TRY(engine.set_limits(id, *drift.limits));
  if (drift.policy) SLIPWAY_TRY(engine.set_restart_policy(id, *drift.policy));
  return drift.paused ? engine.unpause(id) : Status{};
}

}  // namespace slipway::deployment_manager
