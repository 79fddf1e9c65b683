#include "systems/machine_agent/spool.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace slipway::machine_agent {
namespace {

const std::string kText(100, 'x');
constexpr std::size_t kRoomForFour = 4 * (100 + sizeof(Spool::Item));

void fill(Spool& spool, std::int64_t first, std::int64_t last) {
  for (auto seq = first; seq <= last; ++seq) spool.put(seq, from_ms(seq * 1000), kText);
}

std::vector<std::int64_t> send_all(Spool& spool) {
  std::vector<std::int64_t> sent;
  while (auto* item = spool.next()) {
    spool.mark_sent(*item);
    sent.push_back(item->seq);
  }
  return sent;
}

using Seqs = std::vector<std::int64_t>;

TEST(Spool, hands_out_in_order_and_forgets_what_is_confirmed) {
  Spool spool{kRoomForFour};
  fill(spool, 1, 3);
  EXPECT_EQ(send_all(spool), (Seqs{1, 2, 3}));
  EXPECT_EQ(spool.sent(), 3u);
  spool.confirm(2);
  EXPECT_EQ(spool.size(), 3u);  // 2 waits for 1
  spool.confirm(1);
  EXPECT_EQ(spool.size(), 1u);
  EXPECT_EQ(to_ms(spool.oldest()), 3000);
  spool.confirm(3);
  EXPECT_EQ(spool.size(), 0u);
  EXPECT_EQ(spool.bytes(), 0u);
  EXPECT_EQ(spool.sent(), 0u);
  EXPECT_EQ(spool.dropped(), 0);
}

TEST(Spool, drops_the_oldest_that_is_not_under_way_and_counts_it) {
  Spool spool{kRoomForFour};
  fill(spool, 1, 2);
  EXPECT_EQ(send_all(spool), (Seqs{1, 2}));
  fill(spool, 3, 7);  // room for two more
  EXPECT_EQ(spool.dropped(), 3);
  EXPECT_EQ(spool.size(), 4u);
  EXPECT_LE(spool.bytes(), kRoomForFour);
  EXPECT_EQ(send_all(spool), (Seqs{6, 7}));
}

TEST(Spool, drops_the_new_one_when_all_the_room_is_under_way) {
  Spool spool{kRoomForFour};
  fill(spool, 1, 4);
  send_all(spool);
  EXPECT_FALSE(spool.put(5, from_ms(5000), kText));
  EXPECT_EQ(spool.dropped(), 1);
  spool.confirm(1);
  EXPECT_TRUE(spool.put(6, from_ms(6000), kText));
}

TEST(Spool, hands_out_again_what_was_taken_back) {
  Spool spool{kRoomForFour};
  fill(spool, 1, 4);
  send_all(spool);
  spool.confirm(3);
  for (const auto seq : {4, 2, 1}) spool.take_back(seq);
  EXPECT_EQ(spool.sent(), 0u);
  EXPECT_EQ(send_all(spool), (Seqs{1, 2, 4}));
}

TEST(Spool, counts_what_is_given_up) {
  Spool spool{kRoomForFour};
  fill(spool, 1, 2);
  send_all(spool);
  spool.give_up(1);
  spool.give_up(1);
  EXPECT_EQ(spool.dropped(), 1);
  EXPECT_EQ(spool.size(), 1u);
  spool.confirm(99);  // unknown: nothing happens
  EXPECT_EQ(spool.size(), 1u);
}

}  // namespace
}  // namespace slipway::machine_agent
