#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/log.hpp"
#include "messages/machine_sample.hpp"
#include "ports/repository.hpp"
#include "systems/monitoring_service/minute.hpp"
#include "systems/monitoring_service/owners.hpp"

namespace slipway::monitoring_service {

struct MinutesSettings {
  std::chrono::milliseconds flush_after{15'000};  ///< since the first sample that is not stored
  std::chrono::milliseconds settle{1'500};  ///< after the end of a minute: its last sample is on the way
  std::chrono::seconds keep{150};           ///< a stored minute stays in memory, for its late samples
  std::size_t most = 10'000;                ///< minutes in memory
};

/// The minutes that are being collected, and their way into the Repository. A minute that is not in memory is
/// loaded before it is folded into, always; so nothing is lost or doubled by a restart. One thread.
class Minutes {
 public:
  Minutes(ports::Repository& repository, Clock& clock, Log log, std::string cluster_id,
          MinutesSettings settings = {});

  /// Folds one sample into its machine's minute and those of its containers. An Error: nothing was folded
  /// (the Repository could not be asked, or memory is full of what it does not take); the same sample again
  /// later.
  Status fold(const messages::MachineSample& sample, int partition, std::int64_t offset);

  /// Stores the minutes that are due: ended, or unsaved for long enough. An Error: they stay unsaved.
  Status flush_due();
  /// Stores every unsaved minute of these partitions (of all, if empty).
  Status flush(const std::set<int>& partitions = {});
  /// Forgets the minutes of these partitions: somebody else collects them now.
  void forget(const std::set<int>& partitions);

  /// The lowest offset of the partition that is in no stored document; nothing: all that was folded is
  /// stored.
  std::optional<std::int64_t> lowest_unsaved(int partition) const;
  std::size_t size() const { return minutes_.size(); }

 private:
  Result<Minute*> open(const std::string& machine, const std::string& container_id, std::int64_t minute);
  Status flush_if(const std::function<bool(const Minute&)>& wanted);
  Result<std::optional<Owners::Owner>> owner_of(const std::string& machine, const std::string& container);
  Status write(std::vector<Minute*> minutes);
  Result<bool> merge_stored(Minute& minute);
  Status make_room(std::size_t more);
  void drop_stored();

  ports::Repository& repository_;
  Clock& clock_;
  Log log_;
  const std::string cluster_id_;
  const MinutesSettings settings_;
  Owners owners_;
  std::map<std::string, Minute> minutes_;  // by id
};

}  // namespace slipway::monitoring_service
