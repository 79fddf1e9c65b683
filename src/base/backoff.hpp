#pragma once

#include <chrono>
#include <cstdint>

namespace slipway {

/// Growing, jittered pauses between tries: `first`, then doubling up to `most`, each shortened by up to a
/// third so that many clients do not come back in step. One per retry loop; not for sharing between threads.
class Backoff {
 public:
  explicit Backoff(std::chrono::milliseconds first = std::chrono::milliseconds{100},
                   std::chrono::milliseconds most = std::chrono::milliseconds{10'000})
      : first_(first), most_(most) {}
  std::chrono::milliseconds next();
  void reset() { tries_ = 0; }
  std::uint32_t tries() const { return tries_; }

 private:
  std::chrono::milliseconds first_;
  std::chrono::milliseconds most_;
  std::uint32_t tries_ = 0;
};

}  // namespace slipway
