#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <stop_token>

namespace slipway {

using std::chrono::milliseconds;
using WallTime = std::chrono::sys_time<milliseconds>;    ///< what people and other machines see
using MonoTime = std::chrono::steady_clock::time_point;  ///< for time-outs and leases: never jumps

/// Where time comes from. Any thread may call.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual WallTime now() const = 0;
  virtual MonoTime mono() const = 0;
  /// Waits for `duration` or until `stop` is requested; true when the whole time has passed.
  virtual bool sleep(std::chrono::nanoseconds duration, const std::stop_token& stop) = 0;
};

class SystemClock final : public Clock {
 public:
  WallTime now() const override;
  MonoTime mono() const override;
  bool sleep(std::chrono::nanoseconds duration, const std::stop_token& stop) override;
};

/// Stands still until a test advances it; sleepers wake when their time has come.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(WallTime start = WallTime{milliseconds{1'795'000'000'000}}) : now_(start) {}
  WallTime now() const override;
  MonoTime mono() const override;
  bool sleep(std::chrono::nanoseconds duration, const std::stop_token& stop) override;
  void advance(std::chrono::nanoseconds duration);

 private:
  mutable std::mutex mutex_;
  std::condition_variable_any moved_;
  WallTime now_;
  MonoTime mono_{};
};

inline std::int64_t to_ms(WallTime time) {
  return time.time_since_epoch().count();
}
inline WallTime from_ms(std::int64_t ms) {
  return WallTime{milliseconds{ms}};
}

}  // namespace slipway
