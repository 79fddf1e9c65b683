#include "ports/role_lease.hpp"

#include <gtest/gtest.h>

#include <set>
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

// Stands still like ManualClock, and knows who sleeps on it: everybody can act before time moves on.
class SteppedClock final : public Clock {
 public:
  WallTime now() const override { return WallTime{}; }
  MonoTime mono() const override {
    std::lock_guard lock(mutex_);
    return mono_;
  }
  bool sleep(std::chrono::nanoseconds duration, const std::stop_token& stop) override {
    std::unique_lock lock(mutex_);
    const auto until = wakes_.insert(mono_ + duration);
    const bool whole = moved_.wait(lock, stop, [&] { return mono_ >= *until; });
    wakes_.erase(until);
    return whole;
  }
  void advance(seconds time) {
    std::lock_guard lock(mutex_);
    mono_ += time;
    moved_.notify_all();
  }
  // How many sleep until later than now.
  std::ptrdiff_t asleep() const {
    std::lock_guard lock(mutex_);
    return std::distance(wakes_.upper_bound(mono_), wakes_.end());
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable_any moved_;
  MonoTime mono_{};                // guarded by mutex_
  std::multiset<MonoTime> wakes_;  // guarded by mutex_
};

class RoleLeaseTest : public testing::Test {
 protected:
  RoleLease take(Clock& clock, const std::string& holder) {
    return RoleLease(repository_.leases(), clock, Log::silent(), "role", holder);
  }
  std::int64_t beat() { return repository_.leases().find("role").value().value().beat; }
  // Seconds pass one by one; `leases` that live by `clock_` act in each of them.
  void pass(seconds time, int leases) {
    for (auto step = seconds{0}; step <= time; step += seconds{1}) {
      if (step > seconds{0}) clock_.advance(seconds{1});
      ASSERT_TRUE(eventually([&] { return clock_.asleep() == leases; }));
    }
  }

  SteppedClock clock_;
  fakes::FakeRepository repository_;
};

TEST_F(RoleLeaseTest, is_held_by_one) {
  const RoleLease first = take(clock_, "a");
  ASSERT_TRUE(eventually([&] { return first.held(); }));
  const RoleLease second = take(clock_, "b");
  pass(seconds{60}, 2);
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
  SteppedClock frozen;
  const RoleLease first = take(frozen, "a");
  ASSERT_TRUE(eventually([&] { return first.held(); }));
  const RoleLease second = take(clock_, "b");
  pass(seconds{25}, 1);
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
