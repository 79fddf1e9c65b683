#include "base/backoff.hpp"

#include <algorithm>

#include "base/ids.hpp"

namespace slipway {

std::chrono::milliseconds Backoff::next() {
  const auto doublings = std::min<std::uint32_t>(tries_++, 20);
  const auto pause = std::min(most_.count(), first_.count() << doublings);
  const auto jitter = static_cast<std::int64_t>(random_u64() % static_cast<std::uint64_t>(pause / 3 + 1));
  return std::chrono::milliseconds{pause - jitter};
}

}  // namespace slipway
