#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/result.hpp"
#include "ports/stores/samples.hpp"

namespace slipway::ports {

/// The samples of one minute of one machine or container in full resolution: a row per sample, a column per
/// metric. (boot_id, seq) numbers a row; the same row is never there twice. The same rows give the same
/// bytes, in whatever order they came. The format is in docs/contracts.md, with a reader in
/// contracts/examples/read_columns.py.
class Columns {
 public:
  static constexpr std::size_t kMostRows = 6'000;
  static constexpr std::size_t kMostMetrics = 4'000;

  struct Row {
    std::uint32_t boot = 0;  ///< index into boots()
    std::int64_t seq = 0;
    std::int64_t t = 0;  ///< ms since the epoch
  };

  /// False, and nothing changed: the row is there already, or the minute is full. Else set() fills this row.
  bool add_row(std::string_view boot_id, std::int64_t seq, std::int64_t t);
  /// In the row added last. A value that is not finite counts as none.
  void set(std::string_view metric, double value);
  bool contains(std::string_view boot_id, std::int64_t seq) const;
  /// Adds the rows of `other` that are not there.
  void merge(const Columns& other);

  std::string encode() const;
  /// kCorrupt if the bytes are not exactly one encoded minute.
  static Result<Columns> decode(std::string_view bytes);

  /// Of each metric over its rows in the order of time; p95 is the nearest rank.
  std::map<std::string, Summary> summarize() const;

  const std::vector<Row>& rows() const { return rows_; }
  const std::vector<std::string>& boots() const { return boots_; }
  /// One value per row; NaN where the row has none. Empty if there is no such metric.
  std::vector<double> values(std::string_view metric) const;
  std::vector<std::string> metrics() const;

 private:
  std::uint32_t boot_index(std::string_view boot_id);
  std::vector<double>& column(std::string_view metric);
  std::vector<std::size_t> in_order_of_time() const;

  std::vector<std::string> boots_;
  std::vector<std::unordered_set<std::int64_t>> seqs_;  // of each boot
  std::vector<Row> rows_;
  std::map<std::string, std::vector<double>, std::less<>>
      columns_;  // shorter than rows_: no values at the end
};

}  // namespace slipway::ports
