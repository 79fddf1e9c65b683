#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "ports/engine.hpp"

// What somebody changed by hand on a running container since it was made.
namespace slipway::deployment_manager {

/// As the label `slipway.limits` has it: "memory=268435456 nano_cpus=1000000000 pids=256".
std::string encode_limits(const ports::Limits& limits);
std::optional<ports::Limits> decode_limits(std::string_view label);

struct Drift {
  bool paused = false;
  std::optional<std::string> policy;    ///< to be set again
  std::optional<ports::Limits> limits;  ///< to be set again
  bool any() const { return paused || policy || limits; }
  /// "it was paused; its restart policy was no, not always", for people.
  std::string words;
};

/// Compares an inspected container with its own labels: one that was made before they existed is fine.
Drift find_drift(const ports::Container& container);

/// The running container gets back what it was made with.
Status mend_drift(ports::Engine& engine, const std::string& id, const Drift& drift);

}  // namespace slipway::deployment_manager
