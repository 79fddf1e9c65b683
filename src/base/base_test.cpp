#include <gtest/gtest.h>

#include "base/backoff.hpp"
#include "base/digest.hpp"
#include "base/ids.hpp"
#include "base/result.hpp"
#include "base/text.hpp"
#include "base/time_text.hpp"

namespace slipway {
namespace {

using namespace std::chrono_literals;

TEST(Durations, are_read_with_their_units) {
  EXPECT_EQ(*parse_duration("1m30s"), 90s);
  EXPECT_EQ(*parse_duration("500ms"), 500ms);
  EXPECT_EQ(*parse_duration("1.5h"), 90min);
  for (const auto* wrong : {"", "10", "s", "-1s", "1x", "1s2", "99999999d"})
    EXPECT_FALSE(parse_duration(wrong)) << wrong;
}

TEST(Bytes, tell_decimal_from_binary) {
  EXPECT_EQ(*parse_bytes("256M"), 256'000'000U);
  EXPECT_EQ(*parse_bytes("256MB"), 256'000'000U);
  EXPECT_EQ(*parse_bytes("256Mi"), 268'435'456U);
  EXPECT_EQ(*parse_bytes("512B"), 512U);
  for (const auto* wrong : {"", "256", "M", "1Bi", "1X", "-1M"}) EXPECT_FALSE(parse_bytes(wrong)) << wrong;
}

TEST(ShellWords, are_split_without_a_shell) {
  EXPECT_EQ(*split_shell_words(R"x(python -c "print('a b')" x\ y '')x"),
            (std::vector<std::string>{"python", "-c", "print('a b')", "x y", ""}));
  EXPECT_FALSE(split_shell_words("echo 'oops"));
}

TEST(Utf8, finds_the_first_bad_byte) {
  EXPECT_FALSE(find_invalid_utf8("grün ✓ 😀"));
  EXPECT_EQ(find_invalid_utf8("ab\xff"), 2U);
  EXPECT_EQ(find_invalid_utf8("\xc0\xaf"), 0U);
  EXPECT_EQ(find_invalid_utf8("\xed\xa0\x80"), 0U);
  EXPECT_EQ(escape_for_people("a\x1b[1m\xff"), "a\\x1b[1m\\xff");
}

TEST(Time, goes_to_text_and_back) {
  const auto time = parse_rfc3339("2026-11-22T12:58:03.120+01:00");
  ASSERT_TRUE(time);
  EXPECT_EQ(to_rfc3339(*time), "2026-11-22T11:58:03.120Z");
  for (const auto* wrong :
       {"2026-11-22", "2026-11-22T12:00:00", "2026-13-01T00:00:00Z", "9999", "2026-11-22T25:00:00Z"})
    EXPECT_FALSE(parse_rfc3339(wrong)) << wrong;
}

TEST(DidYouMean, offers_only_what_is_near) {
  const std::vector<std::string> keys{"ports", "env", "command"};
  EXPECT_EQ(did_you_mean("prots", keys), "ports");
  EXPECT_FALSE(did_you_mean("zzzzz", keys));
}

TEST(Ids, sort_by_time_and_differ) {
  EXPECT_LT(make_id("r-", from_ms(1000)), make_id("r-", from_ms(2000)));
  EXPECT_NE(make_id("r-", from_ms(1000)), make_id("r-", from_ms(1000)));
  EXPECT_EQ(make_id("r-", from_ms(1000)).size(), 28U);
  EXPECT_EQ(short_id("r-01KAQ2ABCD"), "d-abcd");
  EXPECT_EQ(make_uuid().size(), 36U);
}

TEST(Digest, is_sha256) {
  EXPECT_EQ(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(BackoffTest, grows_to_its_limit) {
  Backoff backoff(100ms, 1000ms);
  EXPECT_LE(backoff.next(), 100ms);
  for (int i = 0; i < 40; ++i) EXPECT_LE(backoff.next(), 1000ms);
  EXPECT_GE(backoff.next(), 600ms);
}

}  // namespace
}  // namespace slipway
