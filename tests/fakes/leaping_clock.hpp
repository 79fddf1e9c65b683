#pragma once

#include <condition_variable>
#include <mutex>

#include "base/clock.hpp"

namespace slipway::fakes {

/// Runs as the system's clock does until a test makes it leap: who sleeps over the end of a leap wakes.
class LeapingClock final : public Clock {
 public:
  WallTime now() const override {
    std::lock_guard lock(mutex_);
    return system_.now() + std::chrono::duration_cast<milliseconds>(ahead_);
  }
  MonoTime mono() const override {
    std::lock_guard lock(mutex_);
    return system_.mono() + ahead_;
  }
  bool sleep(std::chrono::nanoseconds duration, const std::stop_token& stop) override {
    const MonoTime until = mono() + duration;
    std::unique_lock lock(mutex_);
    while (!stop.stop_requested() && system_.mono() + ahead_ < until)
      leapt_.wait_for(lock, stop, until - ahead_ - system_.mono(),
                      [&, seen = ahead_] { return ahead_ != seen; });
    return !stop.stop_requested();
  }
  void leap(std::chrono::nanoseconds duration) {
    {
      std::lock_guard lock(mutex_);
      ahead_ += duration;
    }
    leapt_.notify_all();
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable_any leapt_;
  SystemClock system_;
  std::chrono::nanoseconds ahead_{};
};

}  // namespace slipway::fakes
