#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/log.hpp"
#include "base/thread.hpp"
#include "messages/sensor.hpp"
#include "ports/bus.hpp"

namespace slipway::sensor_manager {

/// Publishes the readings of simulated sensors, each numbered 1, 2, 3 ... without a hole on its topic, as
/// long as `may_run` says so. The numbers go on from the last record of the topic, also after a restart and
/// after an outage (what was due meanwhile is not made up for). Runs on a thread of its own.
class Simulator {
 public:
  using Sensors = std::function<Result<std::vector<messages::Sensor>>()>;
  /// `sensors` gives all registered ones; it is asked every second.
  Simulator(ports::Bus& bus, Clock& clock, Log log, Sensors sensors, std::function<bool()> may_run);
  ~Simulator();

 private:
  struct State;
  void run(const std::stop_token& stop);
  std::unique_ptr<State> state_;
  Worker worker_;  // last: its body uses the state
};

}  // namespace slipway::sensor_manager
