#include "adapters/http/lines.hpp"

#include <gmock/gmock.h>

#include <vector>

namespace slipway::http {
namespace {

using ::testing::ElementsAre;

struct Collected {
  std::vector<std::string> lines;
  LineSplitter splitter{[this](std::string_view line) {
    lines.emplace_back(line);
    return lines.size() < 5;
  }};
};

TEST(LineSplitter, joins_pieces_and_drops_line_ends) {
  Collected all;
  all.splitter.feed("one\r\ntw");
  all.splitter.feed("o\n\nrest");
  all.splitter.finish();
  EXPECT_THAT(all.lines, ElementsAre("one", "two", "", "rest"));
}

TEST(LineSplitter, cuts_a_line_that_never_ends) {
  Collected all;
  for (int i = 0; i < 100; ++i) all.splitter.feed(std::string(10'000, 'x'));
  all.splitter.feed("\nnext\n");
  ASSERT_EQ(all.lines.size(), 2U);
  EXPECT_EQ(all.lines[0].size(), LineSplitter::kMost + LineSplitter::kCut.size());
  EXPECT_EQ(all.lines[1], "next");
}

TEST(LineSplitter, stops_when_its_handler_has_enough) {
  Collected all;
  EXPECT_FALSE(all.splitter.feed("1\n2\n3\n4\n5\n6\n7\n"));
  EXPECT_FALSE(all.splitter.finish());
  EXPECT_EQ(all.lines.size(), 5U);
}

}  // namespace
}  // namespace slipway::http
