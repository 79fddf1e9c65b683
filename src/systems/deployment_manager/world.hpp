#pragma once

#include <memory>

#include "base/clock.hpp"
#include "base/failpoint.hpp"
#include "base/log.hpp"
#include "messages/topics.hpp"
#include "ports/bus.hpp"
#include "ports/engine.hpp"
#include "ports/repository.hpp"
#include "ports/source_archive.hpp"
#include "systems/deployment_manager/settings.hpp"
#include "systems/deployment_manager/source_room.hpp"

namespace slipway::deployment_manager {

/// All that the Deployment Manager reaches; outlives everything in this folder.
struct World {
  ports::Bus& bus;
  ports::Repository& repository;
  ports::Engines& engines;
  const Archives& archives;
  Clock& clock;
  Log log;
  messages::Topics topics;
  Settings settings;
  Failpoints failpoints = {};
  /// One source of the largest size at a time while it is unpacked, and small ones beside it.
  std::shared_ptr<SourceRoom> source_room = std::make_shared<SourceRoom>(384ULL << 20);
};

/// The machine's registry entry and its engine.
struct MachineEngine {
  messages::Machine machine;
  std::shared_ptr<ports::Engine> engine;
};

/// machine.unknown if the Node Manager has no such machine.
Result<MachineEngine> open_machine(World& world, const std::string& name);

/// Calls again what may succeed later (kUnavailable, kUnknown), with growing pauses, for at most `patience`.
/// Only for calls that may be repeated.
template <class Call>
auto persistently(World& world, std::chrono::seconds patience, const std::stop_token& stop, Call call)
    -> decltype(call());

}  // namespace slipway::deployment_manager

#include "base/backoff.hpp"

namespace slipway::deployment_manager {

template <class Call>
auto persistently(World& world, std::chrono::seconds patience, const std::stop_token& stop, Call call)
    -> decltype(call()) {
  const MonoTime until = world.clock.mono() + patience;
  Backoff backoff(std::chrono::milliseconds{50}, std::chrono::milliseconds{2000});
  for (;;) {
    auto result = call();
    if (result || !result.error().retryable() || world.clock.mono() >= until) return result;
    if (!world.clock.sleep(backoff.next(), stop)) return result;
  }
}

}  // namespace slipway::deployment_manager
