#include "adapters/docker/log_stream.hpp"

#include <gmock/gmock.h>

#include <vector>

namespace slipway::docker {
namespace {

using ::testing::ElementsAre;

std::string frame(char stream, std::string_view text) {
  std::string bytes{stream, 0, 0, 0};
  for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(text.size() >> shift & 0xFF);
  return bytes.append(text);
}

struct Collected {
  std::vector<std::string> lines;
  LogStream stream{[this](std::string_view line) {
    lines.emplace_back(line);
    return true;
  }};
};

TEST(LogStream, keeps_the_lines_of_both_streams_apart) {
  Collected all;
  EXPECT_TRUE(
      all.stream.feed(frame(1, "out ") + frame(2, "err\n") + frame(1, "goes on\n") + frame(2, "rest")));
  all.stream.finish();
  EXPECT_THAT(all.lines, ElementsAre("err", "out goes on", "rest"));
  EXPECT_TRUE(all.stream.status());
}

TEST(LogStream, does_not_care_where_pieces_end) {
  const auto bytes = frame(1, "one\n") + frame(2, "two\n") + frame(1, "") + frame(1, "three\n");
  for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
    Collected all;
    all.stream.feed(std::string_view{bytes}.substr(0, cut));
    all.stream.feed(std::string_view{bytes}.substr(cut));
    EXPECT_THAT(all.lines, ElementsAre("one", "two", "three")) << cut;
  }
}

TEST(LogStream, refuses_a_stream_that_is_none_of_ours) {
  Collected all;
  EXPECT_FALSE(all.stream.feed("plain text that is not framed\n"));
  ASSERT_FALSE(all.stream.status());
  EXPECT_EQ(all.stream.status().error().code, "engine.malformed");
}

TEST(LogStream, needs_little_memory_for_a_frame_that_claims_four_gigabytes) {
  Collected all;
  EXPECT_TRUE(
      all.stream.feed(std::string{1, 0, 0, 0, '\xff', '\xff', '\xff', '\xff'} + std::string(1000, 'x')));
  for (int i = 0; i < 1000; ++i) all.stream.feed(std::string(1000, 'x'));
  all.stream.finish();
  ASSERT_EQ(all.lines.size(), 1U);
  EXPECT_LT(all.lines[0].size(), 70'000U);
}

}  // namespace
}  // namespace slipway::docker
