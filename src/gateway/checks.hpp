#pragma once

#include <mutex>
#include <stop_token>

#include "gateway/router.hpp"
#include "gateway/world.hpp"

namespace slipway::gateway {

/// `slipway doctor --check`: compares the journal with the world, one caller at a time.
class Checks {
 public:
  explicit Checks(World& world) : world_(world) {}
  Checks(const Checks&) = delete;  // its route has its address
  Checks& operator=(const Checks&) = delete;
  void add_route(Router& router);
  /// The one under way ends soon, later ones at once: server.stopping.
  void stop() { stop_.request_stop(); }

 private:
  Result<ports::HttpReply> answer();

  World& world_;
  std::mutex one_at_a_time_;
  std::stop_source stop_;
};

}  // namespace slipway::gateway
