#include "ports/role_seat.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <thread>

#include "tests/fakes/fake_bus.hpp"
#include "tests/fakes/fake_repository.hpp"

namespace slipway::ports {
namespace {

template <class Condition>
bool eventually(Condition condition) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(milliseconds{1});
  }
  return true;
}

class RoleSeatTest : public testing::Test {
 protected:
  RoleSeatTest() {
    EXPECT_TRUE(bus_.ensure_topics(std::vector<messages::TopicSpec>{{"wishes"}, {"deadletter"}}));
  }

  std::unique_ptr<RoleSeat> sit(const std::string& holder, std::atomic<int>& handled,
                                std::function<Status()> taken = {}) {
    return std::make_unique<RoleSeat>(
        bus_, repository_.leases(), clock_, Log::silent(),
        RoleSeat::Options{.role = "role",
                          .holder = holder,
                          .requests = {.group = "slipway.role",
                                       .topics = {"wishes"},
                                       .deadletter_topic = "deadletter",
                                       .source = "/role"}},
        [&handled](const Record&) {
          ++handled;
          return Status{};
        },
        std::move(taken));
  }
  int members() { return static_cast<int>(bus_.group_members("slipway.role").value()); }

  SystemClock clock_;
  fakes::FakeBus bus_;
  fakes::FakeRepository repository_;
};

TEST_F(RoleSeatTest, one_of_two_handles_all_and_the_other_stays_out_of_the_group) {
  std::atomic<int> by_first = 0, by_second = 0;
  const auto first = sit("a", by_first);
  ASSERT_TRUE(eventually([&] { return members() == 1; }));
  const auto second = sit("b", by_second);
  for (int i = 0; i < 5; ++i) bus_.put_plain("wishes", "{}");
  EXPECT_TRUE(eventually([&] { return by_first == 5; }));
  EXPECT_FALSE(second->held());
  EXPECT_EQ(by_second, 0);
  EXPECT_EQ(members(), 1);
}

TEST_F(RoleSeatTest, the_other_takes_over_when_the_first_one_goes) {
  std::atomic<int> by_first = 0, by_second = 0;
  auto first = sit("a", by_first);
  ASSERT_TRUE(eventually([&] { return members() == 1; }));
  const auto second = sit("b", by_second);
  first.reset();
  bus_.put_plain("wishes", "{}");
  EXPECT_TRUE(eventually([&] { return by_second == 1; }));
  EXPECT_EQ(by_first, 0);
}

TEST_F(RoleSeatTest, what_comes_first_in_the_role_is_done_before_it_joins_and_tried_again_when_it_fails) {
  std::atomic<int> handled = 0, taken = 0;
  bus_.put_plain("wishes", "{}");
  const auto seat = sit("a", handled, [&]() -> Status {
    EXPECT_EQ(members(), 0);
    return ++taken < 3 ? Status{unavailable("test.away", "not yet")} : Status{};
  });
  EXPECT_TRUE(eventually([&] { return handled == 1; }));
  EXPECT_EQ(taken, 3);
}

}  // namespace
}  // namespace slipway::ports
