#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"

namespace slipway::ports {

/// How far into Kafka a minute document reaches.
struct Reach {
  std::string cluster_id;
  int partition = 0;
  std::int64_t through_offset = -1;
};

/// min/avg/max/p95/last of one metric over a minute.
struct Summary {
  double min = 0, avg = 0, max = 0, p95 = 0, last = 0;
  std::int64_t count = 0;
};

/// One machine's, or one container's, minute as it is stored: `samples_1s` gets the binary columns,
/// `samples_1m` the plain fields; both under the same id. The columns are the truth.
struct MinuteDocument {
  std::string machine;
  std::string container_id;  ///< empty: the machine itself
  std::string service_id;    ///< of a container of ours, or empty
  std::optional<std::int64_t> release;
  std::int64_t minute = 0;  ///< ms since the epoch of its first second
  Reach reach;
  std::string columns;                   ///< encoded, see docs/contracts.md
  std::map<std::string, Summary> plain;  ///< metric name ("cpu.used") -> summary
  std::int64_t samples = 0;
  std::string id() const;  ///< "<machine>/<minute in ms>" or "<machine>/<container>/<minute in ms>"
};

std::string minute_id(std::string_view machine, std::string_view container_id, std::int64_t minute);

/// samples_1s, samples_1m and the same with container_ in front (Monitoring Service). Any thread may call.
class SampleStore {
 public:
  virtual ~SampleStore() = default;
  /// Columns first, then plain fields, in batches. Each is a conditional replace: a document that reaches
  /// further (same cluster and partition, higher through_offset) is not replaced; the ids of those refused
  /// come back, to be loaded and folded again. An Error: nothing is promised, write all of them again.
  virtual Result<std::vector<std::string>> write(const std::vector<MinuteDocument>& minutes) = 0;
  /// Columns and reach as stored (plain fields empty), or nothing.
  virtual Result<std::optional<MinuteDocument>> load(const std::string& machine,
                                                     const std::string& container_id,
                                                     std::int64_t minute) = 0;
  /// Plain minutes of [from, to), ascending; the machine itself if `container_id` is empty.
  virtual Result<std::vector<MinuteDocument>> plain(const std::string& machine,
                                                    const std::string& container_id, WallTime from,
                                                    WallTime to) = 0;
  /// Columns of [from, to), ascending.
  virtual Result<std::vector<MinuteDocument>> columns(const std::string& machine,
                                                      const std::string& container_id, WallTime from,
                                                      WallTime to) = 0;
  /// Containers that have minutes of that machine in [from, to): newest plain document of each.
  virtual Result<std::vector<MinuteDocument>> containers(const std::string& machine, WallTime from,
                                                         WallTime to) = 0;
};

}  // namespace slipway::ports
