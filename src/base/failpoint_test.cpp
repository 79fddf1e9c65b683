#include "base/failpoint.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace slipway {
namespace {

TEST(Failpoint, does_nothing_unless_it_is_armed) {
  failpoint(Failpoint::kCreated, "boiler");
}

TEST(FailpointDeathTest, kills_the_process_where_it_is_armed) {
  const auto reach = [](Failpoint point, std::string_view service) {
    if (!arm_failpoints("created:kill@boiler;ended:abort")) std::exit(1);
    failpoint(point, service);
    std::exit(0);
  };
  EXPECT_EXIT(reach(Failpoint::kCreated, "boiler"), testing::KilledBySignal(SIGKILL), "");
  EXPECT_EXIT(reach(Failpoint::kEnded, "any"), testing::KilledBySignal(SIGABRT), "");
  EXPECT_EXIT(reach(Failpoint::kCreated, "other"), testing::ExitedWithCode(0), "");
  EXPECT_EXIT(reach(Failpoint::kStarted, "boiler"), testing::ExitedWithCode(0), "");
}

TEST(Failpoint, refuses_what_it_does_not_know) {
  EXPECT_EQ(arm_failpoints("nowhere:kill").error().code, "failpoint.unknown");
  EXPECT_EQ(arm_failpoints("created").error().code, "failpoint.syntax");
  EXPECT_EQ(arm_failpoints("created:explode").error().code, "failpoint.effect");
}

TEST(Failpoint, has_a_name_for_each) {
  std::set<std::string_view> names;
  for (const auto& [name, when] : failpoints()) {
    EXPECT_FALSE(when.empty());
    names.insert(name);
  }
  EXPECT_EQ(names.size(), static_cast<std::size_t>(Failpoint::kEnded) + 1);
}

}  // namespace
}  // namespace slipway
