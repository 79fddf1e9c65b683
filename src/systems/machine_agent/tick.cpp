#include "systems/machine_agent/tick.hpp"

namespace slipway::machine_agent {

milliseconds Tick::wait(WallTime now) {
  const auto following = WallTime{(now.time_since_epoch() / interval_ + 1) * interval_};
  if (next_ == WallTime{} || next_ > following) next_ = following;  // the start, or the clock was set back
  if (now < next_) return next_ - now;
  next_ = following;
  return milliseconds{0};
}

}  // namespace slipway::machine_agent
