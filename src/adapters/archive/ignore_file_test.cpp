#include "adapters/archive/ignore_file.hpp"

#include <gtest/gtest.h>

#include <string>
#include <tuple>
#include <vector>

namespace slipway::archive {
namespace {

TEST(IgnoreRules, match_parts_like_docker_does) {
  for (const auto& [pattern, part, wanted] :
       std::vector<std::tuple<const char*, const char*, bool>>{{"*.py", "a.py", true},
                                                               {"*.py", "a.pyc", false},
                                                               {"a*b*c", "aXbYbZc", true},
                                                               {"a*b*c", "aXc", false},
                                                               {"?", "a", true},
                                                               {"?", "", false},
                                                               {"[a-c]x", "bx", true},
                                                               {"[^a-c]x", "bx", false},
                                                               {"[a", "[a", true},
                                                               {"\\*", "*", true},
                                                               {"\\*", "a", false},
                                                               {"*", "", true},
                                                               {"**", "abc", true},
                                                               {"", "a", false},
                                                               {"[]a]", "]", true},
                                                               {"a", "A", false}})
    EXPECT_EQ(matches_part(pattern, part), wanted) << pattern << " " << part;
  std::string stars;
  for (int i = 0; i < 2000; ++i) stars += "*a";
  EXPECT_FALSE(matches_part(stars + "b", std::string(250, 'a')));
}

}  // namespace
}  // namespace slipway::archive
