#pragma once

#include <atomic>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <thread>

#include "systems/deployment_manager/run.hpp"

namespace slipway::deployment_manager {

/// Looks at all lanes: takes free ones with waiting requests, goes on with what this deployer held before,
/// takes over what another one has not raised the lease of for `lease_patience`, renews its own. One thread
/// for looking, one for each deployment under work.
class LaneKeeper {
 public:
  explicit LaneKeeper(Hands& hands);
  ~LaneKeeper();
  /// Something changed: look now.
  void wake();

 private:
  struct Working {
    std::string request_id;
    std::int64_t epoch = 0;
    std::optional<std::string> machine;  ///< none: not chosen yet
    std::stop_source hurry;              ///< cancelled, lost or shutting down
    std::atomic<bool> done{false};
    std::jthread thread;  // last: uses the others
  };
  struct Observed {
    std::int64_t epoch = 0, lease = 0;
    MonoTime since{};
  };

  void run(const std::stop_token& stop);
  void look();
  void look_at(const ports::Lane& lane);
  void take_next(const ports::Lane& lane);
  bool has_room(const std::optional<std::string>& machine);
  Status bring_back_strays();
  Status bring_back(const ports::Deployment& stray);
  Result<bool> is_overtaken(const ports::Deployment& stray);
  void take_over_if_abandoned(const ports::Lane& lane);
  void work_on(const ports::Lane& lane);
  void renew_leases();
  void reap();
  Result<bool> end_waiting(const std::string& service, const std::string& request, messages::State state,
                           const std::string& message);

  Hands& hands_;
  World& world_;
  std::stop_source shutdown_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  bool woken_ = false;                                       // guarded by mutex_
  std::map<std::string, std::unique_ptr<Working>> working_;  // by service; only the looking thread
  std::map<std::string, Observed> observed_;                 // by service; only the looking thread
  std::set<std::string> strays_;                             // seen at the last look; only the looking thread
  Worker worker_;                                            // last: its body uses all the others
};

}  // namespace slipway::deployment_manager
