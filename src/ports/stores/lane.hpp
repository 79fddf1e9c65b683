#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace slipway::ports {

enum class Wanted { kRunning, kCompleted, kStopped, kRemoved };
std::string_view to_string(Wanted wanted);
std::optional<Wanted> parse_wanted(std::string_view text);

/// Where one service is decided (collection lanes, one document per service).
struct Lane {
  std::string service_id;
  std::optional<std::string> active;      ///< request id that is being worked on
  std::vector<std::string> queue;         ///< request ids that wait, oldest first
  std::int64_t epoch = 0;                 ///< raised whenever the lane is taken
  std::string owner;                      ///< deployer that works on `active`
  std::int64_t lease = 0;                 ///< raised by its owner every 5 s
  std::optional<std::string> cancel;      ///< == active: cancelled before the cutover
  std::optional<std::string> cut_over;    ///< == active: the cutover is done, too late to cancel
  std::optional<std::int64_t> committed;  ///< release that serves, or is wanted
  std::optional<std::int64_t>
      previous;  ///< what `committed` was before: where a rollback without a number goes
  Wanted wanted = Wanted::kRemoved;
  std::vector<std::string> machines;  ///< where `committed` is wanted
  std::int64_t last_release = 0;
  std::optional<std::string> last_release_for;  ///< request that took it
  std::int64_t last_accepted = 0;               ///< counts accepted requests: their order
  std::string id() const { return service_id; }
};

/// Every method is one conditional update; "false" or nothing means somebody else decided: stop and look
/// again. Any thread may call.
class LaneStore {
 public:
  virtual ~LaneStore() = default;
  virtual Result<std::optional<Lane>> find(const std::string& service_id) = 0;
  virtual Result<std::vector<Lane>> all() = 0;

  /// Puts the request at the end of the queue unless it is queued or active already; creates the lane. The
  /// lane after.
  virtual Result<Lane> enqueue(const std::string& service_id, const std::string& request_id) = 0;
  /// Nothing active and `request_id` first in the queue: makes it active under epoch+1. The lane after, or
  /// nothing.
  virtual Result<std::optional<Lane>> take(const std::string& service_id, const std::string& request_id,
                                           const std::string& owner) = 0;
  /// Same active request, epoch and lease as `seen`: the new owner holds it under epoch+1. The lane after, or
  /// nothing.
  virtual Result<std::optional<Lane>> take_over(const Lane& seen, const std::string& owner) = 0;
  /// lease+1, while active and epoch are still mine.
  virtual Result<bool> renew(const std::string& service_id, const std::string& request_id,
                             std::int64_t epoch) = 0;
  /// Active, neither cancelled nor cut over: cancelled. (Already cancelled counts as true.)
  virtual Result<bool> cancel(const std::string& service_id, const std::string& request_id) = 0;
  /// Takes a waiting request out of the queue; false if it was not there.
  virtual Result<bool> unqueue(const std::string& service_id, const std::string& request_id) = 0;
  /// While active and epoch are mine: the request's release number, last_release+1 when it first asks and the
  /// same however often it asks again. Or nothing.
  virtual Result<std::optional<std::int64_t>> take_release(const std::string& service_id,
                                                           const std::string& request_id,
                                                           std::int64_t epoch) = 0;

  struct Cutover {
    std::optional<std::int64_t> committed;  ///< none: as it was
    std::optional<std::int64_t> previous;   ///< none: as it was
    Wanted wanted = Wanted::kRunning;
    std::vector<std::string> machines;
  };
  /// Active and epoch mine, not cancelled: the decision, once. (Already cut over by me counts as true.)
  virtual Result<bool> cut_over(const std::string& service_id, const std::string& request_id,
                                std::int64_t epoch, const Cutover& cutover) = 0;
  /// A `restart: never` service ended well: wanted running -> completed, if `release` is still committed.
  virtual Result<bool> complete(const std::string& service_id, std::int64_t release) = 0;
  /// Active and epoch mine: nothing active, cancel and cut_over cleared.
  virtual Result<bool> release_lane(const std::string& service_id, const std::string& request_id,
                                    std::int64_t epoch) = 0;
};

}  // namespace slipway::ports
