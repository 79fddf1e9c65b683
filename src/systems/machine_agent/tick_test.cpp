#include "systems/machine_agent/tick.hpp"

#include <gtest/gtest.h>

namespace slipway::machine_agent {
namespace {

constexpr milliseconds kSecond{1000};

TEST(Tick, comes_on_the_second) {
  Tick tick{kSecond};
  EXPECT_EQ(tick.wait(from_ms(10'250)), milliseconds{750});
  EXPECT_EQ(tick.wait(from_ms(11'000)), milliseconds{0});
  EXPECT_EQ(tick.wait(from_ms(11'003)), milliseconds{997});
  EXPECT_EQ(tick.wait(from_ms(12'001)), milliseconds{0});
}

TEST(Tick, does_not_come_twice_when_the_sleep_ends_early) {
  Tick tick{kSecond};
  EXPECT_EQ(tick.wait(from_ms(10'250)), milliseconds{750});
  EXPECT_EQ(tick.wait(from_ms(10'999)), milliseconds{1});
  EXPECT_EQ(tick.wait(from_ms(11'000)), milliseconds{0});
  EXPECT_EQ(tick.wait(from_ms(11'000)), milliseconds{1000});
}

TEST(Tick, skips_what_was_missed) {
  Tick tick{kSecond};
  EXPECT_EQ(tick.wait(from_ms(10'500)), milliseconds{500});
  EXPECT_EQ(tick.wait(from_ms(14'700)), milliseconds{0});
  EXPECT_EQ(tick.wait(from_ms(14'701)), milliseconds{299});
}

TEST(Tick, goes_on_when_the_clock_is_set_back) {
  Tick tick{kSecond};
  EXPECT_EQ(tick.wait(from_ms(100'500)), milliseconds{500});
  EXPECT_EQ(tick.wait(from_ms(40'300)), milliseconds{700});
  EXPECT_EQ(tick.wait(from_ms(41'000)), milliseconds{0});
}

}  // namespace
}  // namespace slipway::machine_agent
