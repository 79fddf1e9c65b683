#include "base/url.hpp"

#include <gtest/gtest.h>

namespace slipway {
namespace {

TEST(Url, encodes_and_decodes_any_text) {
  const std::string text = "a b/c?d=e&f%g+ü";
  EXPECT_EQ(percent_encode(text), "a%20b%2Fc%3Fd%3De%26f%25g%2B%C3%BC");
  EXPECT_EQ(*percent_decode(percent_encode(text)), text);
  EXPECT_EQ(percent_encode("a/b", "/"), "a/b");
}

TEST(Url, splits_a_target_into_path_and_parameters) {
  const auto target = parse_target("/api/v1/services/a%2Db?tail=10&follow&x=1%202#top");
  ASSERT_TRUE(target);
  EXPECT_EQ(target->path, "/api/v1/services/a-b");
  EXPECT_EQ(target->query,
            (std::map<std::string, std::string>{{"tail", "10"}, {"follow", ""}, {"x", "1 2"}}));
}

TEST(Url, refuses_what_only_an_attacker_sends) {
  for (const char* text :
       {"", "http://x/", "*", "/a%", "/a%0", "/a%zz", "/a%00", "/a%0d%0ab", "/%ff", "/a?x=1&x=2"})
    EXPECT_FALSE(parse_target(text)) << text;
  std::string many = "/?a=1";
  for (int i = 0; i < 10'000; ++i) many += "&p" + std::to_string(i) + "=1";
  EXPECT_FALSE(parse_target(many));
}

}  // namespace
}  // namespace slipway
