#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "base/clock.hpp"
#include "ports/stores/columns.hpp"
#include "ports/stores/samples.hpp"

namespace slipway::monitoring_service {

/// One minute of a machine or container while it is collected. Values only, no I/O.
class Minute {
 public:
  Minute(std::string machine, std::string container_id, std::int64_t minute);
  /// As it is stored. kCorrupt if its columns cannot be read.
  static Result<Minute> from(const ports::MinuteDocument& stored);

  /// The columns, for one sample that came from `offset` of `partition`. The minute needs to be stored from
  /// then on, even if it held that sample already: the plain fields beside the columns may not be there yet.
  ports::Columns& fold(const std::string& cluster_id, int partition, std::int64_t offset, MonoTime now);
  /// Takes in what somebody else has stored meanwhile.
  Status merge(const ports::MinuteDocument& stored);
  void set_owner(std::string service_id, std::optional<std::int64_t> release);

  bool unsaved() const { return !unsaved_.empty(); }
  /// When the first sample that is not stored yet came.
  MonoTime unsaved_since() const { return unsaved_since_; }
  /// Lowest offset of each partition that is in this minute but not in a stored document.
  const std::map<int, std::int64_t>& unsaved_offsets() const { return unsaved_; }
  void saved() { unsaved_.clear(); }

  std::string id() const { return ports::minute_id(machine_, container_id_, minute_); }
  const std::string& machine() const { return machine_; }
  const std::string& container_id() const { return container_id_; }
  std::int64_t start() const { return minute_; }
  int partition() const { return reach_.partition; }
  MonoTime touched_at() const { return touched_at_; }
  /// Columns and plain fields, to be stored.
  ports::MinuteDocument document() const;

 private:
  std::string machine_, container_id_, service_id_;
  std::optional<std::int64_t> release_;
  std::int64_t minute_ = 0;
  ports::Reach reach_;
  ports::Columns columns_;
  std::map<int, std::int64_t> unsaved_;
  MonoTime unsaved_since_{}, touched_at_{};
};

}  // namespace slipway::monitoring_service
