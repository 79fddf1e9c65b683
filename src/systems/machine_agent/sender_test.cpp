#include "systems/machine_agent/sender.hpp"

#include <gtest/gtest.h>

#include <deque>
#include <vector>

namespace slipway::machine_agent {
namespace {

/// A broker in memory: confirms what it is sent, in order, unless told otherwise.
class FakeTransport final : public ports::SampleTransport {
 public:
  enum class Mode { kConfirm, kSilent, kFail };
  explicit FakeTransport(ManualClock& clock) : clock_(clock) {}
  Status send(std::int64_t seq, WallTime, std::string_view json) override {
    if (seq == refused) return invalid("kafka.refused", "too large");
    under_way.emplace_back(seq, std::string{json});
    return {};
  }
  void poll(milliseconds timeout, const Report& report) override {
    clock_.advance(timeout);
    if (mode == Mode::kSilent) return;
    auto ended = std::exchange(under_way, {});
    for (const auto& [seq, json] : ended) {
      if (seq == poisoned) {
        report(seq, invalid("kafka.too_large", "too large"));
      } else if (mode == Mode::kFail) {
        report(seq, unavailable("kafka.unavailable", "broker away"));
      } else {
        arrived.push_back(seq);
        report(seq, {});
      }
    }
  }
  Status health() const override {
    if (mode == Mode::kConfirm) return {};
    return unavailable("kafka.unavailable", "connection refused");
  }

  Mode mode = Mode::kConfirm;
  std::int64_t poisoned = -1, refused = -1;
  std::deque<std::pair<std::int64_t, std::string>> under_way;
  std::vector<std::int64_t> arrived;

 private:
  ManualClock& clock_;
};

class SenderTest : public testing::Test {
 protected:
  void tick() {
    sender.put(++seq, clock.now(), "{}");
    sender.run(milliseconds{500});
    clock.advance(milliseconds{1000});
  }
  std::vector<std::int64_t> up_to(std::int64_t last) const {
    std::vector<std::int64_t> all;
    for (std::int64_t i = 1; i <= last; ++i) all.push_back(i);
    return all;
  }

  ManualClock clock;
  FakeTransport transport{clock};
  Sender sender{transport, clock, {.spool_bytes = 1 << 20, .under_way = 4}, Log::silent()};
  std::int64_t seq = 0;
};

TEST_F(SenderTest, sends_each_sample_once_while_all_is_well) {
  for (int i = 0; i < 10; ++i) tick();
  EXPECT_TRUE(sender.drain(milliseconds{1000}));
  EXPECT_EQ(transport.arrived, up_to(10));
  const auto state = sender.state();
  EXPECT_TRUE(state.reachable);
  EXPECT_EQ(state.spooled, 0u);
  EXPECT_TRUE(state.last_ack);
}

TEST_F(SenderTest, does_not_wait_when_there_is_no_backlog) {
  tick();
  const auto before = clock.mono();
  sender.put(++seq, clock.now(), "{}");
  sender.run(milliseconds{500});
  EXPECT_EQ(clock.mono(), before);
}

TEST_F(SenderTest, resends_in_order_after_an_outage_and_says_so_meanwhile) {
  tick();
  tick();
  transport.mode = FakeTransport::Mode::kSilent;
  for (int i = 0; i < 20; ++i) tick();
  auto state = sender.state();
  EXPECT_FALSE(state.reachable);
  EXPECT_EQ(state.problem, "connection refused");
  EXPECT_GE(state.spooled, 20u);
  EXPECT_LE(transport.under_way.size(), 4u);
  transport.mode = FakeTransport::Mode::kConfirm;
  tick();
  tick();
  EXPECT_TRUE(sender.drain(milliseconds{1000}));
  EXPECT_EQ(transport.arrived, up_to(seq));
  state = sender.state();
  EXPECT_TRUE(state.reachable);
  EXPECT_EQ(state.problem, "");
  EXPECT_EQ(state.dropped, 0);
}

TEST_F(SenderTest, goes_back_to_the_oldest_when_sends_fail) {
  tick();
  transport.mode = FakeTransport::Mode::kFail;
  for (int i = 0; i < 30; ++i) tick();
  EXPECT_FALSE(sender.state().reachable);
  EXPECT_EQ(sender.state().problem, "broker away");
  transport.mode = FakeTransport::Mode::kConfirm;
  EXPECT_TRUE(sender.drain(milliseconds{60'000}));
  EXPECT_EQ(transport.arrived, up_to(seq));
}

TEST_F(SenderTest, gives_up_only_what_will_never_be_taken) {
  transport.poisoned = 2;
  transport.refused = 3;
  for (int i = 0; i < 4; ++i) tick();
  EXPECT_TRUE(sender.drain(milliseconds{1000}));
  EXPECT_EQ(transport.arrived, (std::vector<std::int64_t>{1, 4}));
  EXPECT_EQ(sender.dropped(), 2);
}

TEST_F(SenderTest, stops_draining_at_its_deadline) {
  transport.mode = FakeTransport::Mode::kSilent;
  tick();
  const auto before = clock.mono();
  EXPECT_FALSE(sender.drain(milliseconds{5000}));
  EXPECT_GE(clock.mono() - before, milliseconds{5000});
  EXPECT_LE(clock.mono() - before, milliseconds{5200});
}

}  // namespace
}  // namespace slipway::machine_agent
