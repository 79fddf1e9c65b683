#pragma once

#include <memory>
#include <string>

#include "base/clock.hpp"
#include "base/log.hpp"
#include "messages/topics.hpp"
#include "ports/bus.hpp"
#include "ports/repository.hpp"
#include "systems/heart_beat_manager/beats.hpp"

namespace slipway::heart_beat_manager {

struct HeartBeatManagerSettings {
  BeatsSettings beats;
  std::chrono::seconds repeat_every{10};  ///< each state is said again this often
  std::chrono::seconds asleep_after{5};   ///< between two rounds: so long, and we were paused ourselves
  std::chrono::milliseconds round{500};
  /// Of the lease `heart_beat_manager`; give a name only where its predecessor is known to be dead.
  std::string holder{};
};

/// The role `heart_beat_manager`: says on machine.state who is up, suspect or down. Machines are known from
/// the registry topic, beats are the samples on machine.stats. Many can run: all listen, and the one that
/// holds the lease is the member of the group `slipway.heart_beat_manager` and speaks. Everything handed in
/// must outlive it.
class HeartBeatManager {
 public:
  HeartBeatManager(ports::Bus& bus, ports::Repository& repository, Clock& clock, Log log,
                   messages::Topics topics, HeartBeatManagerSettings settings = {});
  ~HeartBeatManager();

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace slipway::heart_beat_manager
