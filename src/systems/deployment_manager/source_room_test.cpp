#include "systems/deployment_manager/source_room.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

namespace slipway::deployment_manager {
namespace {

TEST(SourceRoom, gives_out_what_it_has_and_takes_it_back) {
  SourceRoom room(100);
  auto first = room.take(60, {});
  ASSERT_TRUE(first);
  std::atomic<bool> came = false;
  std::jthread second([&] {
    const auto held = room.take(60, {});
    came = held.has_value();
  });
  first->shrink_to(50);
  first->shrink_to(80);  // growing is not possible
  EXPECT_FALSE(came);
  first->shrink_to(40);
  second.join();
  EXPECT_TRUE(came);
  EXPECT_TRUE(room.take(60, {}));
}

TEST(SourceRoom, whoever_moves_what_is_held_gives_it_back_once) {
  SourceRoom room(100);
  {
    auto held = room.take(100, {});
    ASSERT_TRUE(held);
    SourceRoom::Held other = std::move(*held);
    SourceRoom::Held again;
    again = std::move(other);
    again = SourceRoom::Held{};
    EXPECT_TRUE(room.take(100, {}));
  }
  EXPECT_TRUE(room.take(100, {}));
}

TEST(SourceRoom, waiting_ends_when_it_is_stopped) {
  SourceRoom room(10);
  const auto all = room.take(10, {});
  std::stop_source stop;
  stop.request_stop();
  const auto none = room.take(1, stop.get_token());
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, "source.no_room");
  EXPECT_TRUE(none.error().retryable());
  EXPECT_EQ(room.take(11, {}).error().kind, ErrorKind::kInternal);
}

}  // namespace
}  // namespace slipway::deployment_manager
