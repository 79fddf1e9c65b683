#pragma once

#include <map>
#include <optional>
#include <stop_token>
#include <string>

#include "systems/deployment_manager/outbox.hpp"
#include "systems/deployment_manager/world.hpp"

namespace slipway::deployment_manager {

/// What an entry of the stage list says beside stage and state.
struct Note {
  std::string message;
  std::optional<milliseconds> took;
  std::optional<Error> error;
  std::string error_stage;
  bool final = false;
  bool unchanged = false;
};

/// A deployment in the hands of its owner. Everything noted here is stored under the lane's epoch before the
/// call returns, and published soon after. `lane.lost` (kConflict) from any call means that somebody else
/// holds the lane now: stop at once, touch nothing more. One thread.
class Journal {
 public:
  Journal(World& world, Outbox& outbox, ports::Deployment deployment, ports::Lane lane, std::stop_token stop);

  const ports::Deployment& deployment() const { return deployment_; }
  const messages::DeploymentRequest& request() const { return deployment_.request; }
  const std::string& id() const { return deployment_.request_id; }
  const std::string& service() const { return deployment_.service_id; }
  const ports::Lane& lane() const { return lane_; }

  Status note(messages::Stage stage, messages::State state, const Note& note);
  bool noted(messages::Stage stage, messages::State state) const;

  /// Facts survive a crash; stages and the next owner read them.
  Status remember(const std::map<std::string, std::string>& facts);
  std::string fact(const std::string& name) const;
  std::optional<std::int64_t> release() const;

  /// Reads the lane again: `lane.lost`, or `cancelled` (kConflict) if the request was cancelled before its
  /// cutover.
  Status check_lane();
  /// Decides: from now on the new release serves and no cancel is taken. `cancelled` or `lane.lost` if
  /// decided otherwise.
  Status cut_over(const ports::LaneStore::Cutover& cutover);
  bool is_cut_over() const { return lane_.cut_over == deployment_.request_id; }
  /// The release that serves now.
  std::optional<std::int64_t> serving() const;
  void set_machine(std::string machine) { machine_ = std::move(machine); }

 private:
  Status lost() const;
  World& world_;
  Outbox& outbox_;
  ports::Deployment deployment_;
  ports::Lane lane_;
  std::stop_token stop_;
  std::string machine_;
};

inline constexpr std::string_view kLaneLost = "lane.lost";
inline constexpr std::string_view kCancelled = "cancelled";

}  // namespace slipway::deployment_manager
