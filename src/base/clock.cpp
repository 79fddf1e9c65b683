#include "base/clock.hpp"

namespace slipway {

WallTime SystemClock::now() const {
  return std::chrono::time_point_cast<milliseconds>(std::chrono::system_clock::now());
}

MonoTime SystemClock::mono() const {
  return std::chrono::steady_clock::now();
}

bool SystemClock::sleep(std::chrono::nanoseconds duration, const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any wake;
  std::unique_lock lock(mutex);
  wake.wait_for(lock, stop, duration, [] { return false; });
  return !stop.stop_requested();
}

WallTime ManualClock::now() const {
  std::lock_guard lock(mutex_);
  return now_;
}

MonoTime ManualClock::mono() const {
  std::lock_guard lock(mutex_);
  return mono_;
}

bool ManualClock::sleep(std::chrono::nanoseconds duration, const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  const MonoTime until = mono_ + duration;
  return moved_.wait(lock, stop, [&] { return mono_ >= until; });
}

void ManualClock::advance(std::chrono::nanoseconds duration) {
  {
    std::lock_guard lock(mutex_);
    mono_ += duration;
    now_ += std::chrono::duration_cast<milliseconds>(duration);
  }
  moved_.notify_all();
}

}  // namespace slipway
