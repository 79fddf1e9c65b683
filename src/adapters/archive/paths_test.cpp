#include "adapters/archive/paths.hpp"

#include <gtest/gtest.h>

namespace slipway::archive {
namespace {

TEST(Paths, folds_case_and_latin_forms) {
  EXPECT_EQ(folded("\u00c9t\u00e9"), folded("e\u0301te\u0301"));
  EXPECT_NE(folded("e"), folded("\u00e9"));
  EXPECT_EQ(folded("A/B"), "a/b");
}

}  // namespace
}  // namespace slipway::archive
