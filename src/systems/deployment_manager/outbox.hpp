#pragma once

#include <condition_variable>
#include <mutex>
#include <set>
#include <string>

#include "base/thread.hpp"
#include "systems/deployment_manager/world.hpp"

namespace slipway::deployment_manager {

/// Publishes what deployments have recorded: the stage list of each document is the outbox. At least once, in
/// order of seq, each entry always under the same event id. Any thread may call.
class Outbox {
 public:
  explicit Outbox(World& world);
  /// This deployment has new entries. Returns at once.
  void wake(const std::string& request_id);
  /// Publishes the last entry once more: the answer to a request that came again.
  void repeat_last(const std::string& request_id);

 private:
  void run(const std::stop_token& stop);
  Status publish(const std::string& request_id, bool again);

  World& world_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::set<std::string> woken_;  // guarded by mutex_
  std::set<std::string> again_;  // guarded by mutex_
  Worker worker_;                // last: its body uses all the others
};

}  // namespace slipway::deployment_manager
