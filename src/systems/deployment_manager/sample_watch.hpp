#pragma once

#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>

#include "ports/request_loop.hpp"
#include "systems/deployment_manager/world.hpp"

namespace slipway::deployment_manager {

/// Hears the machines' samples: an agent is ready when a sample of its own start was seen. Any thread may
/// ask.
class SampleWatch {
 public:
  explicit SampleWatch(World& world);

  struct Seen {
    std::string boot_id;
    MonoTime at{};
  };
  std::optional<Seen> last(const std::string& machine) const;

  /// Waits until a sample of `machine` arrives after `since` from another start of the agent than
  /// `not_boot_id` (empty: any start). False when `deadline` passes or `stop` is requested.
  bool wait(const std::string& machine, MonoTime since, const std::string& not_boot_id, MonoTime deadline,
            const std::stop_token& stop) const;

 private:
  void hear(const ports::Record& record);
  World& world_;
  mutable std::mutex mutex_;
  mutable std::condition_variable_any heard_;
  std::map<std::string, Seen> seen_;  // guarded by mutex_
  ports::TopicReader reader_;         // last: its handler uses all the others
};

}  // namespace slipway::deployment_manager
