#include "ports/request_loop.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <mutex>

#include "ports/dead_letter.hpp"
#include "tests/fakes/fake_bus.hpp"
#include "tests/fakes/fake_repository.hpp"

namespace slipway::ports {
namespace {

using fakes::FakeBus;
using testing::ElementsAre;
using testing::HasSubstr;

/// A handler that notes what it was given and answers as told.
class Script {
 public:
  std::function<Status(const Record&, int time)> answer = [](const Record&, int) { return Status{}; };

  RequestLoop::Handler handler() {
    return [this](const Record& record) {
      int time = 0;
      {
        std::lock_guard lock(mutex_);
        seen_.push_back(record.value.value_or("(none)"));
        time = static_cast<int>(std::count(seen_.begin(), seen_.end(), seen_.back()));
      }
      changed_.notify_all();
      return answer(record, time);
    };
  }
  std::vector<std::string> wait_for(std::size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, std::chrono::seconds(5), [&] { return seen_.size() >= count; });
    return seen_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> seen_;
};

class RequestLoopTest : public testing::Test {
 protected:
  RequestLoopTest() {
    const messages::TopicSpec topics[] = {{"requests", 1, false, {}}, {"dead", 1, false, {}}};
    EXPECT_TRUE(bus_.ensure_topics(topics));
  }
  std::unique_ptr<RequestLoop> start() {
    return std::make_unique<RequestLoop>(
        bus_, clock_, Log::silent(),
        RequestLoop::Options{
            .group = "slipway.test", .topics = {"requests"}, .deadletter_topic = "dead", .source = "/test"},
        script_.handler());
  }
  std::int64_t committed() {
    const std::string topics[] = {"requests"};
    const auto offsets = bus_.committed("slipway.test", topics).value();
    return offsets.empty() ? 0 : offsets.begin()->second;
  }

  SystemClock clock_;
  FakeBus bus_;
  Script script_;
};

TEST_F(RequestLoopTest, stores_the_offset_after_the_handler_succeeded) {
  bus_.put_plain("requests", "a");
  bus_.put_plain("requests", "b");
  auto loop = start();
  EXPECT_THAT(script_.wait_for(2), ElementsAre("a", "b"));
  loop.reset();
  EXPECT_EQ(committed(), 2);
}

TEST_F(RequestLoopTest, begins_again_where_it_ended) {
  bus_.put_plain("requests", "a");
  auto loop = start();
  script_.wait_for(1);
  loop.reset();
  bus_.put_plain("requests", "b");
  loop = start();
  EXPECT_THAT(script_.wait_for(2), ElementsAre("a", "b"));
}

TEST_F(RequestLoopTest, tries_again_in_order_while_the_error_is_passing) {
  script_.answer = [](const Record& record, int time) -> Status {
    if (*record.value == "a" && time < 3) return unavailable("store.away", "away");
    return {};
  };
  bus_.put_plain("requests", "a");
  bus_.put_plain("requests", "b");
  auto loop = start();
  EXPECT_THAT(script_.wait_for(4), ElementsAre("a", "a", "a", "b"));
  loop.reset();
  EXPECT_EQ(committed(), 2);
  EXPECT_TRUE(bus_.records("dead").empty());
}

TEST_F(RequestLoopTest, stores_nothing_while_it_retries) {
  script_.answer = [](const Record&, int) -> Status { return unavailable("store.away", "away"); };
  bus_.put_plain("requests", "a");
  auto loop = start();
  script_.wait_for(2);
  loop.reset();
  EXPECT_EQ(committed(), 0);
}

TEST_F(RequestLoopTest, F13_a_right_that_is_missing_on_kafka_holds_a_request_back_and_never_buries_it) {
  script_.answer = [](const Record&, int time) -> Status {
    if (time < 3) return denied("kafka.denied", "publishing to replies: Topic authorization failed");
    return {};
  };
  bus_.put_plain("requests", "a");
  auto loop = start();
  script_.wait_for(3);
  loop.reset();
  EXPECT_EQ(committed(), 1);
  EXPECT_TRUE(bus_.records("dead").empty());
}

TEST_F(RequestLoopTest, buries_what_is_wrong_with_its_reason) {
  script_.answer = [](const Record& record, int) -> Status {
    if (*record.value == "bad") return invalid("request.id", "no id");
    return {};
  };
  ASSERT_TRUE(bus_.publish({.topic = "requests", .key = "hello", .value = "bad"}));
  bus_.put_plain("requests", "good");
  auto loop = start();
  script_.wait_for(2);
  loop.reset();
  const auto letters = bus_.records("dead");
  ASSERT_EQ(letters.size(), 1U);
  EXPECT_EQ(letters[0].value, "bad");
  EXPECT_EQ(letters[0].key, "hello");
  EXPECT_EQ(find_header(letters[0], "slipway_topic"), "requests");
  EXPECT_EQ(find_header(letters[0], "slipway_partition"), "0");
  EXPECT_EQ(find_header(letters[0], "slipway_offset"), "0");
  EXPECT_EQ(find_header(letters[0], "slipway_reason"), "request.id");
  EXPECT_EQ(find_header(letters[0], "ce_source"), "/test");
  EXPECT_EQ(committed(), 2);
}

TEST_F(RequestLoopTest, buries_tombstones_without_asking) {
  ASSERT_TRUE(bus_.publish({.topic = "requests", .key = "hello", .value = std::nullopt}));
  auto loop = start();
  const auto letters = bus_.wait_for_count("dead", 1);
  ASSERT_EQ(letters.size(), 1U);
  EXPECT_EQ(find_header(letters[0], "slipway_reason"), "request.empty");
  EXPECT_FALSE(letters[0].value);
}

TEST_F(RequestLoopTest, moves_on_only_when_the_dead_letter_is_written) {
  script_.answer = [](const Record&, int) -> Status { return invalid("request.id", "no id"); };
  bus_.fail_next_publish(unavailable("kafka.unavailable", "away"), 2, "dead");
  bus_.put_plain("requests", "bad");
  auto loop = start();
  EXPECT_EQ(bus_.wait_for_count("dead", 1).size(), 1U);
  loop.reset();
  EXPECT_THAT(script_.wait_for(3), ElementsAre("bad", "bad", "bad"));
  EXPECT_EQ(committed(), 1);
}

TEST_F(RequestLoopTest, goes_on_after_an_outage_of_the_bus) {
  auto loop = start();
  bus_.put_plain("requests", "a");
  script_.wait_for(1);
  bus_.set_down(true);
  bus_.set_down(false);
  bus_.put_plain("requests", "b");
  EXPECT_THAT(script_.wait_for(2), ElementsAre("a", "b"));
}

TEST_F(RequestLoopTest, reads_ahead_no_further_than_its_bound) {
  script_.answer = [](const Record&, int) -> Status { return unavailable("store.away", "away"); };
  for (int i = 0; i < 3000; ++i) bus_.put_plain("requests", "x");
  auto loop = start();
  script_.wait_for(3);
  loop.reset();  // ends at once though much is waiting
  EXPECT_EQ(committed(), 0);
}

TEST_F(RequestLoopTest, shares_the_work_with_another_member) {
  const messages::TopicSpec more[] = {{"many", 4, false, {}}};
  ASSERT_TRUE(bus_.ensure_topics(more));
  std::atomic<int> first = 0, second = 0;
  const RequestLoop::Options options{
      .group = "slipway.two", .topics = {"many"}, .deadletter_topic = "dead", .source = "/test"};
  RequestLoop one(bus_, clock_, Log::silent(), options, [&](const Record&) {
    ++first;
    return Status{};
  });
  RequestLoop two(bus_, clock_, Log::silent(), options, [&](const Record&) {
    ++second;
    return Status{};
  });
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(5);
  while (bus_.group_members("slipway.two").value() < 2 && std::chrono::steady_clock::now() < deadline)
    std::this_thread::yield();
  for (int i = 0; i < 400; ++i) bus_.put_plain("many", "x");
  while (first + second < 400 && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
  EXPECT_GE(first + second, 400);
  EXPECT_GT(first, 0);
  EXPECT_GT(second, 0);
}

// A dead letter of a record that has already been read must always fit: else its partition stands still.
struct Heavy {
  const char* name;
  Record record;
};

std::vector<Heavy> heavy() {
  const Record plain{.topic = "requests",
                     .partition = 2,
                     .offset = 7,
                     .timestamp = {},
                     .key = "shop",
                     .value = "{",
                     .headers = {{"ce_id", "1"}}};
  std::vector<Heavy> all{{"K16_one_header_of_a_megabyte", plain},
                         {"K16_a_key_of_a_megabyte", plain},
                         {"K16_a_header_name_of_a_megabyte", plain},
                         {"K16_a_hundred_headers_of_ten_kilobytes", plain},
                         {"K16_a_value_of_a_megabyte", plain},
                         {"K16_all_at_once", plain},
                         {"K16_a_heavy_tombstone", plain}};
  const std::string megabyte(1'000'000, 'x');
  all[0].record.headers.push_back({"h", megabyte});
  all[1].record.key = megabyte;
  all[2].record.headers.push_back({megabyte, "v"});
  for (std::size_t i = 3; i < all.size(); ++i)
    for (int header = 0; i != 4 && header < 100; ++header)
      all[i].record.headers.push_back({std::string(5'000, 'n'), std::string(5'000, 'v')});
  all[4].record.value = megabyte;
  all[5].record.value = all[5].record.key = megabyte;
  all[6].record.value = std::nullopt;
  all[6].record.key = megabyte;
  return all;
}

class DeadLetters : public testing::Test {
 protected:
  DeadLetters() {
    const messages::TopicSpec topics[] = {{"dead", 1, false, {}}};
    EXPECT_TRUE(bus_.ensure_topics(topics));
  }
  FakeBus bus_;
};
class DeadLetter : public DeadLetters, public testing::WithParamInterface<Heavy> {};

TEST_P(DeadLetter, is_written_with_place_and_reason) {
  const Record& record = GetParam().record;
  const auto written = write_dead_letter(bus_, "dead", "/test", record, invalid("json.syntax", "no JSON"));
  ASSERT_TRUE(written) << to_string(written.error());
  const auto letters = bus_.records("dead");
  ASSERT_EQ(letters.size(), 1U);
  EXPECT_EQ(find_header(letters[0], "slipway_offset"), "7");
  EXPECT_EQ(find_header(letters[0], "slipway_reason"), "json.syntax");
  EXPECT_EQ(find_header(letters[0], "original_ce_id"), "1");
  EXPECT_EQ(letters[0].key, record.key->substr(0, 2'000));
  EXPECT_EQ(letters[0].value.has_value(), record.value.has_value());
  if (record.value && record.value->size() < 1'000'000) {
    EXPECT_EQ(letters[0].value, record.value);
  } else if (record.value) {
    EXPECT_EQ(find_header(letters[0], "slipway_value"), "left out, 1000000 bytes");
  }
}
INSTANTIATE_TEST_SUITE_P(Heavy, DeadLetter, testing::ValuesIn(heavy()),
                         [](const auto& row) { return row.param.name; });

TEST_F(DeadLetters, leaves_the_headers_out_where_the_broker_takes_little) {
  bus_.fail_next_publish(invalid("kafka.too_large", "too large"), 2, "dead");
  const Record record{.topic = "requests",
                      .partition = 0,
                      .offset = 1,
                      .timestamp = {},
                      .key = {},
                      .value = "x",
                      .headers = {{"a", "b"}}};
  ASSERT_TRUE(write_dead_letter(bus_, "dead", "/test", record, invalid("json.syntax", "no JSON")));
  const auto letters = bus_.records("dead");
  ASSERT_EQ(letters.size(), 1U);
  EXPECT_EQ(find_header(letters[0], "slipway_headers"), "left out, 1");
  EXPECT_FALSE(find_header(letters[0], "original_a"));
  EXPECT_EQ(find_header(letters[0], "slipway_reason"), "json.syntax");
}

class CountedAttempts : public RequestLoopTest {
 protected:
  std::unique_ptr<RequestLoop> start_counting() {
    return std::make_unique<RequestLoop>(bus_, clock_, Log::silent(),
                                         RequestLoop::Options{.group = "slipway.test",
                                                              .topics = {"requests"},
                                                              .deadletter_topic = "dead",
                                                              .source = "/test",
                                                              .attempts = &repository_.attempts()},
                                         script_.handler());
  }
  int count() {
    const auto known = repository_.attempts().find("requests/0").value();
    return known ? known->count : 0;
  }
  fakes::FakeRepository repository_;
};

TEST_F(CountedAttempts, K26_F55_a_record_that_ended_the_process_three_times_is_buried_unread) {
  ASSERT_TRUE(repository_.attempts().put({"requests/0", 0, 3}));  // as three dead processes left it
  bus_.put_plain("requests", "deadly");
  bus_.put_plain("requests", "good");
  auto loop = start_counting();
  EXPECT_THAT(script_.wait_for(1), ElementsAre("good"));
  const auto letters = bus_.wait_for_count("dead", 1);
  ASSERT_EQ(letters.size(), 1U);
  EXPECT_EQ(letters[0].value, "deadly");
  EXPECT_EQ(find_header(letters[0], "slipway_reason"), "request.crashed_the_server");
  loop.reset();
  EXPECT_EQ(committed(), 2);
}

TEST_F(CountedAttempts, F55_the_third_attempt_is_made_and_counted_before_the_handler_runs) {
  ASSERT_TRUE(repository_.attempts().put({"requests/0", 0, 2}));
  std::atomic<int> seen = 0;
  script_.answer = [&](const Record&, int) {
    seen = count();
    return Status{};
  };
  bus_.put_plain("requests", "a");
  auto loop = start_counting();
  script_.wait_for(1);
  loop.reset();
  EXPECT_EQ(seen, 3);
  EXPECT_TRUE(bus_.records("dead").empty());
  EXPECT_EQ(committed(), 1);
}

TEST_F(CountedAttempts, trying_again_and_an_end_in_order_are_no_crashes) {
  script_.answer = [](const Record&, int) -> Status { return unavailable("store.away", "away"); };
  bus_.put_plain("requests", "a");
  auto loop = start_counting();
  script_.wait_for(3);
  EXPECT_EQ(count(), 1);
  loop.reset();
  EXPECT_EQ(count(), 0);
}

TEST_F(CountedAttempts, another_offset_begins_at_one) {
  ASSERT_TRUE(repository_.attempts().put({"requests/0", 7, 3}));
  bus_.put_plain("requests", "a");
  auto loop = start_counting();
  EXPECT_THAT(script_.wait_for(1), ElementsAre("a"));
  EXPECT_EQ(count(), 1);
}

TEST(TopicReaderTest, hands_over_what_was_there_and_what_comes) {
  SystemClock clock;
  FakeBus bus;
  const messages::TopicSpec topics[] = {{"registry", 2, true, {}}};
  ASSERT_TRUE(bus.ensure_topics(topics));
  ASSERT_TRUE(bus.publish({.topic = "registry", .key = "a", .value = "1"}));
  ASSERT_TRUE(bus.publish({.topic = "registry", .key = "b", .value = "2"}));
  Script script;
  const auto handler = script.handler();
  TopicReader reader(bus, clock, Log::silent(), {"registry"}, From::kBeginning,
                     [&](const Record& record) { (void)handler(record); });
  ASSERT_TRUE(reader.wait_caught_up(std::chrono::seconds(5)));
  EXPECT_EQ(script.wait_for(2).size(), 2U);
  ASSERT_TRUE(bus.publish({.topic = "registry", .key = "a", .value = std::nullopt}));
  EXPECT_EQ(script.wait_for(3).back(), "(none)");
}

TEST(TopicReaderTest, waits_for_a_topic_that_is_missing) {
  SystemClock clock;
  FakeBus bus;
  Script script;
  const auto handler = script.handler();
  TopicReader reader(bus, clock, Log::silent(), {"late"}, From::kEnd,
                     [&](const Record& record) { (void)handler(record); });
  EXPECT_FALSE(reader.wait_ready(milliseconds{1}));
  const messages::TopicSpec topics[] = {{"late", 1, false, {}}};
  ASSERT_TRUE(bus.ensure_topics(topics));
  ASSERT_TRUE(reader.wait_ready(std::chrono::seconds(5)));
  bus.put_plain("late", "x");
  EXPECT_THAT(script.wait_for(1), ElementsAre("x"));
}

}  // namespace
}  // namespace slipway::ports
