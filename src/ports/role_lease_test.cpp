#include "ports/role_lease.hpp"

#include <gtest/gtest.h>

#include <thread>

#include "tests/fakes/fake_repository.hpp"

namespace slipway::ports {
namespace {

using std::chrono::seconds;

template <class Condition>
bool eventually(Condition condition) {
  const auto deadline = std::chrono::steady_clock::now() + seconds(5);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(milliseconds{1});
  }
  return true;
}

class RoleLeaseTest : public testing::Test {
 protected:
  RoleLease take(Clock& clock, const std::string& holder) {
    return RoleLease(repository_.leases(), clock, Log::silent(), "role", holder);
  }
  std::int64_t beat() { return repository_.leases().find("role").value().value().beat; }
  // Moves time on in small steps, so that everybody gets to act in between.
  void pass(ManualClock& clock, seconds time) {
    for (auto step = seconds{0}; step < time; step += seconds{1}) {
      clock.advance(seconds{1});
      std::this_thread::sleep_for(milliseconds{2});
    }
  }

  ManualClock clock_;
  fakes::FakeRepository repository_;
};

TEST_F(RoleLeaseTest, is_held_by_one) {
  const RoleLease first = take(clock_, "a");
  ASSERT_TRUE(eventually([&] { return first.held(); }));
  const RoleLease second = take(clock_, "b");
  pass(clock_, seconds{60});
  EXPECT_TRUE(first.held());
  EXPECT_FALSE(second.held());
  EXPECT_GE(beat(), 5);
}

TEST_F(RoleLeaseTest, passes_on_at_once_when_given_back) {
  auto first = std::make_unique<RoleLease>(repository_.leases(), clock_, Log::silent(), "role", "a");
  ASSERT_TRUE(eventually([&] { return first->held(); }));
  const RoleLease second = take(clock_, "b");
  first.reset();
  EXPECT_TRUE(eventually([&] {
    clock_.advance(seconds{1});
    return second.held();
  }));
}

TEST_F(RoleLeaseTest, passes_on_after_thirty_seconds_when_its_holder_stands_still) {
  ManualClock frozen;
  const RoleLease first = take(frozen, "a");
  ASSERT_TRUE(eventually([&] { return first.held(); }));
  const RoleLease second = take(clock_, "b");
  pass(clock_, seconds{25});
  EXPECT_FALSE(second.held());
  EXPECT_TRUE(eventually([&] {
    clock_.advance(seconds{1});
    return second.held();
  }));
  frozen.advance(seconds{20});
  EXPECT_FALSE(first.held());  // it cannot know, but it no longer counts on it
}

TEST_F(RoleLeaseTest, comes_back_at_once_to_the_same_holder) {
  ASSERT_TRUE(repository_.leases().take("role", "a", std::nullopt).value());
  const RoleLease again = take(clock_, "a");
  EXPECT_TRUE(eventually([&] { return again.held(); }));
}

TEST_F(RoleLeaseTest, runs_out_when_the_store_is_away) {
  const RoleLease first = take(clock_, "a");
  ASSERT_TRUE(eventually([&] { return first.held(); }));
  repository_.set_down(true);
  EXPECT_TRUE(eventually([&] {
    clock_.advance(seconds{1});
    return !first.held();
  }));
  repository_.set_down(false);
  EXPECT_TRUE(eventually([&] {
    clock_.advance(seconds{1});
    return first.held();
  }));
}

}  // namespace
}  // namespace slipway::ports
