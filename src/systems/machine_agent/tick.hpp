#pragma once

#include "base/clock.hpp"

namespace slipway::machine_agent {

/// When to measure: at each whole `interval` of the wall clock, so that the samples of many machines fall on
/// the same seconds. A tick that was missed is skipped, none comes twice. Not for sharing between threads.
class Tick {
 public:
  explicit Tick(milliseconds interval) : interval_(interval) {}
  /// How long to wait from `now` on; zero: the tick is due, measure now (and only then ask again).
  milliseconds wait(WallTime now);

 private:
  milliseconds interval_;
  WallTime next_{};
};

}  // namespace slipway::machine_agent
