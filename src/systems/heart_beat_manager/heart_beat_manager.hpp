#pragma once

#include <memory>

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
};

/// The role `heart_beat_manager`: says on machine.state who is up, suspect or down. Machines are known from
/// the registry topic, beats are the samples on machine.stats. Many can run: all listen, and the one that
/// Kafka gave the first partition of the registry in the group `slipway.heart_beat_manager` speaks.
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
