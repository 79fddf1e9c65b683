#pragma once

#include <stop_token>
#include <string>

#include "base/clock.hpp"
#include "base/log.hpp"
#include "systems/machine_agent/sampler.hpp"
#include "systems/machine_agent/sender.hpp"
#include "systems/machine_agent/settings.hpp"
#include "systems/machine_agent/state_file.hpp"

namespace slipway::machine_agent {

/// The Machine Agent: measure, spool, send, once an interval. All parts must outlive it.
class Agent {
 public:
  struct Parts {
    Sampler& sampler;
    Sender& sender;
    StateFile& state_file;
    Clock& clock;
    Log log;
  };
  Agent(Parts parts, Settings settings, SampleOrigin origin);

  /// Returns when `stop` is requested and what was measured is sent, or 5 s later.
  void run(const std::stop_token& stop);

 private:
  void measure(WallTime now);
  void write_state();

  Parts parts_;
  const Settings settings_;
  const SampleOrigin origin_;
  const WallTime started_;
  std::int64_t seq_ = 0;
  std::string json_;  // reused
};

}  // namespace slipway::machine_agent
