#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/result.hpp"

namespace slipway::ports {

/// A lease is a counter that its holder raises; who has seen it unchanged for 30 s of its own monotonic clock
/// may take it. No clocks are compared.
struct Lease {
  std::string name;    ///< "scheduler", "machine/edge-1"
  std::string holder;  ///< empty: given back, free to take
  std::int64_t epoch = 0;
  std::int64_t beat = 0;
  std::string id() const { return name; }
};

class LeaseStore {
 public:
  virtual ~LeaseStore() = default;
  virtual Result<std::optional<Lease>> find(const std::string& name) = 0;
  /// Takes a lease that is not there, or is exactly `seen`, under epoch+1. The lease after, or nothing.
  virtual Result<std::optional<Lease>> take(const std::string& name, const std::string& holder,
                                            const std::optional<Lease>& seen) = 0;
  /// beat+1 while holder and epoch are mine.
  virtual Result<bool> renew(const Lease& mine) = 0;
  /// Gives it back: the next one need not wait.
  virtual Status give_back(const Lease& mine) = 0;
};

}  // namespace slipway::ports
