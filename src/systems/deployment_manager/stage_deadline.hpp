#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <stop_token>

#include "base/clock.hpp"
#include "base/thread.hpp"

namespace slipway::deployment_manager {

/// Nothing is "in progress" for ever: asks a stage to stop when its time is over, or when `hurry` is
/// requested. Lives as long as the stage runs.
class StageDeadline {
 public:
  StageDeadline(Clock& clock, std::chrono::seconds limit, const std::stop_token& hurry);
  std::stop_token token() const { return stop_.get_token(); }
  bool passed() const { return passed_; }

 private:
  std::stop_source stop_;
  std::atomic<bool> passed_{false};
  std::stop_callback<std::function<void()>> hurry_;
  Worker worker_;  // last: its body uses all the others
};

}  // namespace slipway::deployment_manager
