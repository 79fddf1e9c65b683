#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>

#include "base/clock.hpp"
#include "ports/repository.hpp"

namespace slipway::monitoring_service {

/// Whose container is it? The agent knows ids only; the Deployment Manager writes `instances`. Remembers what
/// it has learnt, asks again for what it does not know, each machine at most every few seconds. One thread.
class Owners {
 public:
  struct Owner {
    std::string service_id;
    std::optional<std::int64_t> release;
  };
  Owners(ports::Repository& repository, Clock& clock) : repository_(repository), clock_(clock) {}

  /// Nothing: not ours, or not known to be. An Error: the Repository could not be asked, and it is needed to
  /// know.
  Result<std::optional<Owner>> find(const std::string& machine, const std::string& container_id);

 private:
  static constexpr std::size_t kMostKnown = 20'000;
  static constexpr std::size_t kMostOfAMachine = 1'000;
  static constexpr std::chrono::seconds kAskAgain{3};

  ports::Repository& repository_;
  Clock& clock_;
  std::unordered_map<std::string, Owner> known_;        // container id -> whose
  std::unordered_map<std::string, MonoTime> asked_at_;  // of each machine
};

}  // namespace slipway::monitoring_service
