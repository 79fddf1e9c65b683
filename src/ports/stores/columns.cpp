#include "ports/stores/columns.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <numeric>
#include <optional>
#include <tuple>

namespace slipway::ports {
namespace {

constexpr std::string_view kMagic = "SLC1";
constexpr std::uint8_t kRawDoubles = 255;
constexpr int kMostDecimals = 6;
constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
constexpr std::size_t kMostName = 1'024;

// ---- writing

void put_varint(std::string& out, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) out += static_cast<char>(value | 0x80);
  out += static_cast<char>(value);
}

// Differences wrap around like the machine's integers: every pair of int64 has one.
void put_difference(std::string& out, std::int64_t value, std::int64_t& last) {
  const auto difference =
      static_cast<std::int64_t>(static_cast<std::uint64_t>(value) - static_cast<std::uint64_t>(last));
  put_varint(out,
             (static_cast<std::uint64_t>(difference) << 1) ^ static_cast<std::uint64_t>(difference >> 63));
  last = value;
}

void put_text(std::string& out, std::string_view text) {
  put_varint(out, text.size());
  out += text;
}

double scaled(double value, int decimals) {
  static constexpr double kPowers[] = {1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6};
  return value * kPowers[decimals];
}

std::int64_t to_integer(double value, int decimals) {
  return std::llround(scaled(value, decimals));
}

double from_integer(std::int64_t value, int decimals) {
  return static_cast<double>(value) / scaled(1, decimals);
}

bool fits(double value, int decimals) {
  return std::abs(scaled(value, decimals)) < 4e18 &&
         from_integer(to_integer(value, decimals), decimals) == value;
}

// The least number of decimals with which every value is exactly an integer; none: only doubles are exact.
std::optional<int> decimals_of(const std::vector<double>& values) {
  int decimals = 0;
  for (const double value : values)
    while (!fits(value, decimals))
      if (++decimals > kMostDecimals) return std::nullopt;
  // More decimals for one value may have lost another.
  for (const double value : values)
    if (!fits(value, decimals)) return std::nullopt;
  return decimals;
}

void put_double(std::string& out, double value) {
  const auto bits = std::bit_cast<std::uint64_t>(value);
  for (int i = 0; i < 8; ++i) out += static_cast<char>(bits >> (8 * i));
}

void put_column(std::string& out, const std::vector<double>& column, const std::vector<std::size_t>& order) {
  std::vector<double> values;
  std::string bitmap((order.size() + 7) / 8, '\0');
  for (std::size_t i = 0; i < order.size(); ++i) {
    const double value = order[i] < column.size() ? column[order[i]] : kNone;
    if (std::isnan(value)) continue;
    values.push_back(value);
    bitmap[i / 8] = static_cast<char>(bitmap[i / 8] | (1 << (i % 8)));
  }
  const auto decimals = decimals_of(values);
  out += static_cast<char>(decimals ? static_cast<std::uint8_t>(*decimals) : kRawDoubles);
  const bool partial = values.size() < order.size();
  out += static_cast<char>(partial);
  if (partial) out += bitmap;
  std::int64_t last = 0;
  for (const double value : values) {
    if (decimals)
      put_difference(out, to_integer(value, *decimals), last);
    else
      put_double(out, value);
  }
}

// ---- reading

class Cursor {
 public:
  explicit Cursor(std::string_view bytes) : left_(bytes) {}

  bool failed() const { return failed_; }
  bool at_end() const { return left_.empty(); }
  void fail() { failed_ = true; }
  std::string_view take(std::size_t count) {
    if (failed_ || count > left_.size()) {
      failed_ = true;
      return {};
    }
    const std::string_view taken = left_.substr(0, count);
    left_.remove_prefix(count);
    return taken;
  }
  std::uint8_t byte() {
    const auto taken = take(1);
    return taken.empty() ? 0 : static_cast<std::uint8_t>(taken[0]);
  }
  std::uint64_t varint() {
    std::uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      const std::uint8_t next = byte();
      value |= static_cast<std::uint64_t>(next & 0x7f) << shift;
      if (!(next & 0x80)) return value;
    }
    failed_ = true;
    return 0;
  }
  /// A number of things; more than `most` is a failure.
  std::size_t count(std::size_t most) {
    const std::uint64_t value = varint();
    if (value > most) failed_ = true;
    return failed_ ? 0 : static_cast<std::size_t>(value);
  }
  std::int64_t difference(std::int64_t& last) {
    const std::uint64_t raw = varint();
    const std::uint64_t difference = (raw >> 1) ^ (~(raw & 1) + 1);
    return last = static_cast<std::int64_t>(static_cast<std::uint64_t>(last) + difference);
  }
  std::string_view text(std::size_t most) { return take(count(most)); }

 private:
  std::string_view left_;
  bool failed_ = false;
};

bool has_value(std::string_view bitmap, std::size_t row) {
  return bitmap.empty() || (static_cast<std::uint8_t>(bitmap[row / 8]) >> (row % 8)) & 1;
}

std::vector<double> read_column(Cursor& in, std::size_t rows) {
  const std::uint8_t form = in.byte();
  const std::uint8_t partial = in.byte();
  const std::string_view bitmap = partial ? in.take((rows + 7) / 8) : std::string_view();
  std::vector<double> values(rows, kNone);
  if ((form > kMostDecimals && form != kRawDoubles) || partial > 1) in.fail();
  std::int64_t last = 0;
  for (std::size_t row = 0; row < rows && !in.failed(); ++row) {
    if (!has_value(bitmap, row)) continue;
    if (form != kRawDoubles) {
      values[row] = from_integer(in.difference(last), form);
      continue;
    }
    std::uint64_t bits = 0;
    const std::string_view bytes = in.take(8);
    for (std::size_t i = 0; i < bytes.size(); ++i)
      bits |= static_cast<std::uint64_t>(static_cast<std::uint8_t>(bytes[i])) << (8 * i);
    values[row] = std::bit_cast<double>(bits);
  }
  return values;
}

}  // namespace

std::uint32_t Columns::boot_index(std::string_view boot_id) {
  const auto found = std::ranges::find(boots_, boot_id);
  if (found != boots_.end()) return static_cast<std::uint32_t>(found - boots_.begin());
  boots_.emplace_back(boot_id);
  seqs_.emplace_back();
  return static_cast<std::uint32_t>(boots_.size() - 1);
}

bool Columns::contains(std::string_view boot_id, std::int64_t seq) const {
  const auto found = std::ranges::find(boots_, boot_id);
  return found != boots_.end() && seqs_[static_cast<std::size_t>(found - boots_.begin())].contains(seq);
}

bool Columns::add_row(std::string_view boot_id, std::int64_t seq, std::int64_t t) {
  if (rows_.size() >= kMostRows || boot_id.size() > kMostName || contains(boot_id, seq)) return false;
  const std::uint32_t boot = boot_index(boot_id);
  seqs_[boot].insert(seq);
  rows_.push_back({boot, seq, t});
  return true;
}

std::vector<double>& Columns::column(std::string_view metric) {
  const auto found = columns_.find(metric);
  return found != columns_.end() ? found->second : columns_[std::string(metric)];
}

void Columns::set(std::string_view metric, double value) {
  if (!std::isfinite(value) || metric.size() > kMostName) return;
  if (columns_.size() >= kMostMetrics && !columns_.contains(metric)) return;
  auto& values = column(metric);
  values.resize(rows_.size(), kNone);
  values.back() = value;
}

void Columns::merge(const Columns& other) {
  for (std::size_t row = 0; row < other.rows_.size(); ++row) {
    const Row& from = other.rows_[row];
    if (!add_row(other.boots_[from.boot], from.seq, from.t)) continue;
    for (const auto& [metric, values] : other.columns_)
      if (row < values.size()) set(metric, values[row]);
  }
}

std::vector<std::size_t> Columns::in_order_of_time() const {
  std::vector<std::size_t> order(rows_.size());
  std::iota(order.begin(), order.end(), 0);
  std::ranges::sort(order, [&](std::size_t a, std::size_t b) {
    const Row &left = rows_[a], &right = rows_[b];
    return std::tie(left.t, boots_[left.boot], left.seq) < std::tie(right.t, boots_[right.boot], right.seq);
  });
  return order;
}

std::string Columns::encode() const {
  const auto order = in_order_of_time();
  std::vector<std::string> boots;  // in the order of their first row
  std::vector<std::size_t> number(boots_.size(), boots_.size());
  for (const std::size_t row : order) {
    auto& index = number[rows_[row].boot];
    if (index != boots_.size()) continue;
    index = boots.size();
    boots.push_back(boots_[rows_[row].boot]);
  }

  std::string out(kMagic);
  put_varint(out, boots.size());
  for (const auto& boot : boots) put_text(out, boot);
  put_varint(out, order.size());
  for (const std::size_t row : order) put_varint(out, number[rows_[row].boot]);
  std::int64_t last_seq = 0, last_t = 0;
  for (const std::size_t row : order) put_difference(out, rows_[row].seq, last_seq);
  for (const std::size_t row : order) put_difference(out, rows_[row].t, last_t);
  put_varint(out, columns_.size());
  for (const auto& [metric, column] : columns_) {
    put_text(out, metric);
    put_column(out, column, order);
  }
  return out;
}

Result<Columns> Columns::decode(std::string_view bytes) {
  const Error corrupt{ErrorKind::kCorrupt, "columns.corrupt", "these bytes are no minute of samples"};
  Cursor in(bytes);
  if (in.take(kMagic.size()) != kMagic) return corrupt;
  std::vector<std::string> boots(in.count(kMostRows));
  for (auto& boot : boots) boot = in.text(kMostName);
  std::vector<Row> rows(in.count(kMostRows));
  std::int64_t last_seq = 0, last_t = 0;
  for (auto& row : rows)
    row.boot = static_cast<std::uint32_t>(in.count(boots.empty() ? 0 : boots.size() - 1));
  for (auto& row : rows) row.seq = in.difference(last_seq);
  for (auto& row : rows) row.t = in.difference(last_t);
  if (in.failed() || (boots.empty() && !rows.empty())) return corrupt;

  Columns columns;
  for (const auto& row : rows)
    if (!columns.add_row(boots[row.boot], row.seq, row.t)) return corrupt;
  const std::size_t count = in.count(kMostMetrics);
  for (std::size_t i = 0; i < count && !in.failed(); ++i) {
    const std::string metric(in.text(kMostName));
    auto values = read_column(in, rows.size());
    if (!columns.columns_.emplace(metric, std::move(values)).second) return corrupt;
  }
  if (in.failed() || !in.at_end()) return corrupt;
  return columns;
}

std::map<std::string, Summary> Columns::summarize() const {
  const auto order = in_order_of_time();
  std::map<std::string, Summary> summaries;
  std::vector<double> values;
  for (const auto& [metric, column] : columns_) {
    values.clear();
    for (const std::size_t row : order)
      if (row < column.size() && !std::isnan(column[row])) values.push_back(column[row]);
    if (values.empty()) continue;
    Summary summary;
    summary.count = static_cast<std::int64_t>(values.size());
    summary.last = values.back();
    summary.avg = std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
    std::ranges::sort(values);
    summary.min = values.front();
    summary.max = values.back();
    summary.p95 = values[(values.size() * 95 + 99) / 100 - 1];
    summaries.emplace(metric, summary);
  }
  return summaries;
}

std::vector<double> Columns::values(std::string_view metric) const {
  const auto found = columns_.find(metric);
  if (found == columns_.end()) return {};
  auto values = found->second;
  values.resize(rows_.size(), kNone);
  return values;
}

std::vector<std::string> Columns::metrics() const {
  std::vector<std::string> names;
  for (const auto& [metric, values] : columns_) names.push_back(metric);
  return names;
}

}  // namespace slipway::ports
