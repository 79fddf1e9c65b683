#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "messages/machine.hpp"

namespace slipway::scheduler {

/// Measured on a machine, smoothed over the last samples.
struct Load {
  double cpu = 0;     ///< percent of all cores
  double memory = 0;  ///< percent in use
};

/// One machine as the Scheduler knows it.
struct Candidate {
  messages::Machine machine;                          ///< as registered
  std::optional<messages::MachineStateReport> state;  ///< as the Heart Beat Manager says
  std::optional<Load> load;                           ///< nothing: no sample yet
  int services = 0;                                   ///< that run there or are on their way
};

/// The answer, and whether a machine that is new may still become fit.
struct Choice {
  std::string machine;                         ///< empty: none fits
  std::string reason;                          ///< for people: why this one, or why none
  std::map<std::string, std::string> refused;  ///< machine -> why not
  bool may_change_soon = false;                ///< none fits, but one was just registered and not heard yet
};

/// A machine fits if it is up, its Engine answers and it is not cordoned. The one in `prefer` is taken if it
/// fits; else the least loaded: processor and memory count the same, each service there as 5 percent more.
/// Pure.
Choice decide(const std::vector<Candidate>& candidates, const std::string& prefer, WallTime now);

}  // namespace slipway::scheduler
