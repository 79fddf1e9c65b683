#pragma once

#include <memory>
#include <string>

#include "base/clock.hpp"
#include "base/log.hpp"
#include "base/thread.hpp"
#include "ports/stores/leases.hpp"

namespace slipway::ports {

/// Of all processes that want the lease `name`, one holds it. It is raised every 5 s; who has seen it
/// unchanged for 30 s of its own monotonic clock takes it, and who could not raise it for 20 s no longer
/// counts on it. A `holder` that comes back under the same name takes its own lease at once: give one only
/// where its predecessor is known to be dead. The destructor gives the lease back.
class RoleLease {
 public:
  /// An empty `holder` gets a random name. The store, the clock and the log must outlive it.
  RoleLease(LeaseStore& store, Clock& clock, Log log, std::string name, std::string holder = {});
  ~RoleLease();
  /// Cheap; any thread may ask, before each effect.
  bool held() const;

 private:
  struct State;
  void run(const std::stop_token& stop);
  std::unique_ptr<State> state_;
  Worker worker_;  // last: its body uses the state
};

}  // namespace slipway::ports
