#include "ports/stores/columns.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <random>

namespace slipway::ports {
namespace {

constexpr std::int64_t kMinute = 1'795'348'860'000;

Columns steady(int rows) {
  Columns columns;
  for (int i = 0; i < rows; ++i) {
    EXPECT_TRUE(columns.add_row("boot", 100 + i, kMinute + i * 1000));
    columns.set("cpu.used", i * 0.25);
    columns.set("mem.available", 2.9e9 + i * 4096);
  }
  return columns;
}

void expect_same(const Columns& a, const Columns& b) {
  ASSERT_EQ(a.rows().size(), b.rows().size());
  EXPECT_EQ(a.encode(), b.encode());
  EXPECT_EQ(a.metrics(), b.metrics());
}

TEST(Columns, come_back_as_they_were) {
  const Columns columns = steady(60);
  const auto back = Columns::decode(columns.encode());
  ASSERT_TRUE(back);
  expect_same(columns, *back);
  EXPECT_EQ(back->values("cpu.used"), columns.values("cpu.used"));
  EXPECT_EQ(back->values("mem.available"), columns.values("mem.available"));
  EXPECT_EQ(back->rows()[59].seq, 159);
  EXPECT_EQ(back->rows()[59].t, kMinute + 59'000);
  EXPECT_EQ(back->boots(), std::vector<std::string>{"boot"});
}

TEST(Columns, are_small) {
  EXPECT_LT(steady(60).encode().size(), 60U * 8);
}

TEST(Columns, take_a_row_once) {
  Columns columns = steady(2);
  EXPECT_FALSE(columns.add_row("boot", 100, kMinute));
  EXPECT_TRUE(columns.add_row("another boot", 100, kMinute));
  EXPECT_EQ(columns.rows().size(), 3U);
}

TEST(Columns, give_the_same_bytes_in_whatever_order_rows_came) {
  Columns forward, backward;
  for (int i = 0; i < 20; ++i)
    for (auto [columns, row] : {std::pair{&forward, i}, std::pair{&backward, 19 - i}}) {
      columns->add_row(row < 10 ? "b1" : "a2", row, kMinute + row * 1000);
      columns->set("cpu.used", row);
      if (row % 3 == 0) columns->set("temp", row / 7.0);
    }
  EXPECT_EQ(forward.encode(), backward.encode());
}

TEST(Columns, know_which_rows_have_no_value) {
  Columns columns;
  columns.add_row("b", 1, kMinute);
  columns.set("a", 1);
  columns.add_row("b", 2, kMinute + 1000);
  columns.set("b", 2);
  columns.set("a", std::nan(""));
  columns.add_row("b", 3, kMinute + 2000);
  const auto back = Columns::decode(columns.encode());
  ASSERT_TRUE(back);
  EXPECT_EQ(back->values("a")[0], 1);
  EXPECT_TRUE(std::isnan(back->values("a")[1]));
  EXPECT_TRUE(std::isnan(back->values("b")[0]));
  EXPECT_EQ(back->values("b")[1], 2);
  EXPECT_TRUE(std::isnan(back->values("b")[2]));
  EXPECT_TRUE(back->values("c").empty());
}

TEST(Columns, keep_extreme_values_exactly) {
  Columns columns;
  const double values[] = {0,
                           -1,
                           1e18,
                           -1e18,
                           1e300,
                           5e-324,
                           0.1,
                           1.0 / 3,
                           123456.789012,
                           9007199254740993.0,
                           1e17,
                           2.5e-7,
                           std::numeric_limits<double>::max(),
                           std::numeric_limits<double>::lowest()};
  std::int64_t seq = std::numeric_limits<std::int64_t>::min();
  for (const double value : values) {
    ASSERT_TRUE(columns.add_row("b", seq, seq));
    columns.set("all", value);
    columns.set("m" + std::to_string(value), value);
    seq = seq < 0 ? std::numeric_limits<std::int64_t>::max() : seq - 1;
  }
  const auto back = Columns::decode(columns.encode());
  ASSERT_TRUE(back);
  std::vector<double> found = back->values("all");
  std::vector<double> wanted(std::begin(values), std::end(values));
  std::ranges::sort(found);
  std::ranges::sort(wanted);
  EXPECT_EQ(found, wanted);
  EXPECT_EQ(back->encode(), columns.encode());
}

TEST(Columns, merge_without_holes_or_doubles) {
  Columns left, right;
  const Columns whole = steady(60);
  for (int i = 0; i < 60; ++i)
    for (Columns* columns : {&left, &right}) {
      if (columns == &left ? i > 35 : i < 20) continue;
      columns->add_row("boot", 100 + i, kMinute + i * 1000);
      columns->set("cpu.used", i * 0.25);
      columns->set("mem.available", 2.9e9 + i * 4096);
    }
  left.merge(right);
  EXPECT_EQ(left.encode(), whole.encode());
  left.merge(left);
  EXPECT_EQ(left.encode(), whole.encode());
}

TEST(Columns, are_summarized_in_the_order_of_time) {
  Columns columns;
  for (int i = 100; i >= 1; --i) {
    columns.add_row("b", i, kMinute + i);
    columns.set("x", i);
  }
  const Summary summary = columns.summarize().at("x");
  EXPECT_EQ(summary.min, 1);
  EXPECT_EQ(summary.max, 100);
  EXPECT_EQ(summary.avg, 50.5);
  EXPECT_EQ(summary.p95, 95);
  EXPECT_EQ(summary.last, 100);
  EXPECT_EQ(summary.count, 100);
  Columns one;
  one.add_row("b", 1, kMinute);
  one.set("x", 7);
  EXPECT_EQ(one.summarize().at("x").p95, 7);
  EXPECT_TRUE(Columns().summarize().empty());
}

TEST(Columns, are_bounded) {
  Columns columns;
  for (std::size_t i = 0; i < Columns::kMostRows; ++i)
    ASSERT_TRUE(columns.add_row("b", static_cast<std::int64_t>(i), kMinute));
  EXPECT_FALSE(columns.add_row("b", -1, kMinute));
  for (std::size_t i = 0; i < Columns::kMostMetrics + 10; ++i) columns.set("m" + std::to_string(i), 1);
  EXPECT_EQ(columns.metrics().size(), Columns::kMostMetrics);
}

TEST(Columns, refuse_bytes_that_are_cut_or_longer) {
  Columns columns = steady(10);
  columns.add_row("other", 1, kMinute);
  columns.set("temp", 1.0 / 3);
  const std::string bytes = columns.encode();
  for (std::size_t length = 0; length < bytes.size(); ++length)
    EXPECT_FALSE(Columns::decode(std::string_view(bytes).substr(0, length))) << length;
  EXPECT_FALSE(Columns::decode(bytes + "x"));
  EXPECT_TRUE(Columns::decode(Columns().encode()));
}

// The same bytes are read by contracts/examples/read_columns.py, in tests/contracts.
TEST(Columns, are_the_bytes_of_the_golden_minute) {
  const std::string folder = std::string(std::getenv("SLIPWAY_SOURCE_DIR")) + "/contracts/examples/columns/";
  std::ifstream json_file(folder + "minute.json"), hex_file(folder + "minute.hex");
  const auto minute = nlohmann::json::parse(json_file);
  Columns columns;
  for (std::size_t row = 0; row < minute["seq"].size(); ++row) {
    ASSERT_TRUE(
        columns.add_row(minute["boot"][row].get<std::string>(), minute["seq"][row], minute["t"][row]));
    for (const auto& [name, values] : minute.items())
      if (name != "boot" && name != "seq" && name != "t" && !values[row].is_null())
        columns.set(name, values[row]);
  }
  std::string hex, wanted;
  for (const char c : columns.encode()) hex += fmt::format("{:02x}", static_cast<unsigned char>(c));
  for (std::string line; hex_file >> line;) wanted += line;
  EXPECT_EQ(hex, wanted);
}

TEST(Columns, survive_any_bytes) {
  std::mt19937 random(4711);
  Columns columns = steady(30);
  columns.add_row("other", 1, kMinute);
  columns.set("temp", 1.0 / 3);
  const std::string bytes = columns.encode();
  int refused = 0;
  for (int i = 0; i < 20'000; ++i) {
    std::string broken = bytes;
    for (int hits = 1 + static_cast<int>(random() % 4); hits > 0; --hits)
      broken[random() % broken.size()] = static_cast<char>(random());
    const auto decoded = Columns::decode(broken);
    if (!decoded)
      ++refused;
    else
      EXPECT_LE(decoded->rows().size(), Columns::kMostRows);
  }
  EXPECT_GT(refused, 0);
}

TEST(Columns, come_back_whatever_they_hold) {
  std::mt19937_64 random(11);
  for (int round = 0; round < 200; ++round) {
    Columns columns;
    const auto rows = random() % 80;
    for (std::uint64_t i = 0; i < rows; ++i) {
      columns.add_row("boot" + std::to_string(random() % 3), static_cast<std::int64_t>(random() % 1000),
                      kMinute + static_cast<std::int64_t>(random() % 60'000));
      for (int m = 0; m < 5; ++m) {
        const double number = static_cast<double>(static_cast<std::int64_t>(random()));
        const double values[] = {number, number / 1e12, std::round(number / 1e14) / 100, 0};
        if (random() % 4) columns.set("m" + std::to_string(m), values[random() % 4]);
      }
    }
    const std::string bytes = columns.encode();
    const auto back = Columns::decode(bytes);
    ASSERT_TRUE(back);
    EXPECT_EQ(back->encode(), bytes);
    for (const auto& [metric, summary] : columns.summarize()) {
      const Summary again = back->summarize().at(metric);
      EXPECT_EQ(summary.max, again.max);
      EXPECT_EQ(summary.avg, again.avg);
      EXPECT_EQ(summary.last, again.last);
    }
  }
}

}  // namespace
}  // namespace slipway::ports
