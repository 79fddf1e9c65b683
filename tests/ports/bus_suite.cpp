#include "tests/ports/bus_suite.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <set>
#include <thread>

#include "base/ids.hpp"

namespace slipway::tests {

using ports::From;
using ports::Record;
using ports::TopicPartition;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using testing::UnorderedElementsAre;

namespace {

constexpr std::chrono::seconds kDeadline{20};

template <class Condition>
bool eventually(Condition condition) {
  const auto deadline = std::chrono::steady_clock::now() + kDeadline;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(milliseconds{10});
  }
  return true;
}

struct Partitions final : ports::RebalanceListener {
  std::set<TopicPartition> held;
  std::function<void()> on_revoked = [] {};
  void assigned(std::span<const TopicPartition> partitions) override {
    held.insert(partitions.begin(), partitions.end());
  }
  void revoked(std::span<const TopicPartition> partitions) override {
    on_revoked();
    for (const auto& at : partitions) held.erase(at);
  }
};

}  // namespace

BusSuite::BusSuite() : prefix_("suite." + make_uuid().substr(0, 8) + ".") {}

void BusSuite::SetUp() {
  bus_ = GetParam()();
  ASSERT_NE(bus_, nullptr);
}

void BusSuite::make_topic(const std::string& topic, int partitions, bool compacted) {
  const messages::TopicSpec specs[] = {{topic, partitions, compacted, std::chrono::hours{1}}};
  const auto status = bus_->ensure_topics(specs);
  ASSERT_TRUE(status) << to_string(status.error());
}

void BusSuite::publish(const std::string& topic, const std::string& key, const std::string& value) {
  const auto status =
      bus_->publish({.topic = topic, .key = key, .value = value, .source = "/suite", .type = "t"});
  ASSERT_TRUE(status) << to_string(status.error());
}

std::vector<Record> BusSuite::read(ports::Consumer& consumer, std::size_t count) {
  std::vector<Record> all;
  (void)eventually([&] {
    if (auto records = consumer.poll(1000, milliseconds{200}))
      all.insert(all.end(), records->begin(), records->end());
    return all.size() >= count;
  });
  return all;
}

std::vector<std::string> BusSuite::values(const std::vector<Record>& records) {
  std::vector<std::string> out;
  for (const auto& record : records) out.push_back(record.value.value_or("(none)"));
  return out;
}

TEST_P(BusSuite, answers_a_ping_and_says_which_cluster_it_is) {
  EXPECT_TRUE(bus_->ping(std::chrono::seconds(5)));
  const auto id = bus_->cluster_id();
  ASSERT_TRUE(id);
  EXPECT_FALSE(id->empty());
  EXPECT_EQ(GetParam()()->cluster_id().value().empty(), false);
}

TEST_P(BusSuite, refuses_what_is_too_large_with_all_its_parts) {
  make_topic(name("t"));
  const std::string much(600'000, 'x');
  for (const auto& [key, value, header] :
       {std::tuple{much, much, std::string()}, std::tuple{std::string(), much, much},
        std::tuple{much, std::string(), much}}) {
    const auto status = bus_->publish({.topic = name("t"),
                                       .key = key,
                                       .value = value,
                                       .source = "/suite",
                                       .type = "t",
                                       .more_headers = {{"h", header}}});
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().code, "kafka.too_large");
    EXPECT_FALSE(status.error().retryable());
  }
  publish(name("t"), "a", much);
}

TEST_P(BusSuite, keeps_key_value_headers_and_time) {
  make_topic(name("t"));
  auto reader = bus_->read_all({name("t")}, From::kEnd);
  ASSERT_TRUE(reader) << to_string(reader.error());
  const auto status = bus_->publish({.topic = name("t"),
                                     .key = "hello",
                                     .value = "{\"a\": 1}",
                                     .source = "/suite",
                                     .type = "slipway.test.v1",
                                     .subject = "hello",
                                     .event_id = "e-1",
                                     .more_headers = {{"extra", "x"}}});
  ASSERT_TRUE(status) << to_string(status.error());
  const auto records = read(**reader, 1);
  ASSERT_THAT(records, SizeIs(1));
  const Record& record = records[0];
  EXPECT_EQ(record.key, "hello");
  EXPECT_EQ(record.value, "{\"a\": 1}");
  EXPECT_EQ(record.place(), name("t") + "[0]@0");
  EXPECT_EQ(find_header(record, "ce_id"), "e-1");
  EXPECT_EQ(find_header(record, "ce_source"), "/suite");
  EXPECT_EQ(find_header(record, "ce_type"), "slipway.test.v1");
  EXPECT_EQ(find_header(record, "ce_specversion"), "1.0");
  EXPECT_EQ(find_header(record, "ce_subject"), "hello");
  EXPECT_EQ(find_header(record, "content-type"), "application/json");
  EXPECT_EQ(find_header(record, "extra"), "x");
  EXPECT_TRUE(find_header(record, "ce_time"));
  const SystemClock clock;
  EXPECT_LT(std::abs((clock.now() - record.timestamp).count()), 60'000);
}

TEST_P(BusSuite, tells_a_tombstone_from_an_empty_value) {
  make_topic(name("t"));
  ASSERT_TRUE(bus_->publish({.topic = name("t"), .key = "k", .value = std::nullopt}));
  ASSERT_TRUE(bus_->publish({.topic = name("t"), .key = "", .value = ""}));
  auto reader = bus_->read_all({name("t")}, From::kBeginning);
  ASSERT_TRUE(reader) << to_string(reader.error());
  const auto records = read(**reader, 2);
  ASSERT_THAT(records, SizeIs(2));
  EXPECT_EQ(records[0].value, std::nullopt);
  EXPECT_EQ(records[1].value, "");
  EXPECT_EQ(records[1].key, std::nullopt);
}

TEST_P(BusSuite, refuses_a_topic_that_is_not_there) {
  const auto status = bus_->publish({.topic = name("nowhere"), .key = "k", .value = "x"});
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, "kafka.no_topic");
  const auto reader = bus_->read_all({name("nowhere")}, From::kBeginning);
  ASSERT_FALSE(reader);
  EXPECT_EQ(reader.error().code, "kafka.no_topic");
  const std::string topics[] = {name("nowhere")};
  EXPECT_THAT(bus_->ranges(topics).value(), IsEmpty());
  EXPECT_EQ(bus_->last_record(name("nowhere")).value(), std::nullopt);
}

TEST_P(BusSuite, adopts_topics_and_refuses_a_wrong_cleanup_policy) {
  make_topic(name("t"), 3);
  make_topic(name("t"), 5);  // another number of partitions is adopted
  const std::string topics[] = {name("t")};
  EXPECT_THAT(bus_->ranges(topics).value(), SizeIs(3));
  const std::string asked[] = {name("t"), name("nowhere")};
  EXPECT_EQ(bus_->partition_counts(asked).value(), (std::map<std::string, int>{{name("t"), 3}}));
  const messages::TopicSpec wrong[] = {{name("t"), 3, true, {}}};
  const auto status = bus_->ensure_topics(wrong);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, "kafka.cleanup_policy");
  make_topic(name("compacted"), 2, true);
  make_topic(name("compacted"), 2, true);
}

TEST_P(BusSuite, publishes_later_in_order_and_reports_each_once) {
  make_topic(name("t"));
  std::mutex mutex;
  std::condition_variable changed;
  int reported = 0, failed = 0;
  for (int i = 0; i < 500; ++i) {
    const auto queued = bus_->publish_later({.topic = name("t"), .key = "k", .value = std::to_string(i)},
                                            [&](const Status& status) {
                                              std::lock_guard lock(mutex);
                                              ++reported;
                                              failed += status ? 0 : 1;
                                              changed.notify_all();
                                            });
    ASSERT_TRUE(queued);
  }
  {
    std::unique_lock lock(mutex);
    ASSERT_TRUE(changed.wait_for(lock, kDeadline, [&] { return reported >= 500; }));
    EXPECT_EQ(reported, 500);
    EXPECT_EQ(failed, 0);
  }
  auto reader = bus_->read_all({name("t")}, From::kBeginning);
  ASSERT_TRUE(reader) << to_string(reader.error());
  const auto all = values(read(**reader, 500));
  ASSERT_THAT(all, SizeIs(500));
  for (int i = 0; i < 500; ++i) EXPECT_EQ(all[static_cast<std::size_t>(i)], std::to_string(i));
}

TEST_P(BusSuite, keeps_records_of_one_key_in_one_partition) {
  make_topic(name("t"), 6);
  for (int i = 0; i < 20; ++i) publish(name("t"), "key" + std::to_string(i % 5), std::to_string(i));
  auto reader = bus_->read_all({name("t")}, From::kBeginning);
  ASSERT_TRUE(reader) << to_string(reader.error());
  std::map<std::string, std::set<int>> partitions;
  for (const auto& record : read(**reader, 20)) partitions[record.key.value()].insert(record.partition);
  EXPECT_THAT(partitions, SizeIs(5));
  for (const auto& [key, where] : partitions) EXPECT_THAT(where, SizeIs(1)) << key;
}

TEST_P(BusSuite, reads_all_from_the_end_or_from_the_beginning) {
  make_topic(name("t"), 3);
  publish(name("t"), "a", "old");
  auto from_end = bus_->read_all({name("t")}, From::kEnd);
  auto from_beginning = bus_->read_all({name("t")}, From::kBeginning);
  ASSERT_TRUE(from_end && from_beginning);
  publish(name("t"), "b", "new");
  EXPECT_THAT(values(read(**from_end, 1)), ElementsAre("new"));
  EXPECT_THAT(values(read(**from_beginning, 2)), UnorderedElementsAre("old", "new"));
}

TEST_P(BusSuite, says_the_ends_and_the_last_record) {
  make_topic(name("t"), 1);
  EXPECT_EQ(bus_->last_record(name("t")).value(), std::nullopt);
  publish(name("t"), "a", "1");
  publish(name("t"), "a", "2");
  const std::string topics[] = {name("t")};
  const auto ranges = bus_->ranges(topics).value();
  EXPECT_EQ(ranges.at({name("t"), 0}).begin, 0);
  EXPECT_EQ(ranges.at({name("t"), 0}).end, 2);
  EXPECT_EQ(bus_->end_offsets(topics).value().at({name("t"), 0}), 2);
  EXPECT_EQ(bus_->last_record(name("t")).value().value().value, "2");
}

TEST_P(BusSuite, a_group_goes_on_where_its_offsets_are) {
  make_topic(name("t"));
  for (const char* value : {"a", "b", "c"}) publish(name("t"), "k", value);
  auto first = bus_->join_group(name("g"), {name("t")});
  ASSERT_TRUE(first);
  const auto records = read(**first, 3);
  ASSERT_THAT(values(records), ElementsAre("a", "b", "c"));
  ASSERT_TRUE((*first)->store_offset({name("t"), 0}, records[1].offset + 1));
  first->reset();  // commits and leaves
  const std::string topics[] = {name("t")};
  EXPECT_EQ(bus_->committed(name("g"), topics).value().at({name("t"), 0}), 2);
  auto second = bus_->join_group(name("g"), {name("t")});
  ASSERT_TRUE(second);
  EXPECT_THAT(values(read(**second, 1)), ElementsAre("c"));
}

TEST_P(BusSuite, what_is_not_stored_comes_again) {
  make_topic(name("t"));
  publish(name("t"), "k", "a");
  auto first = bus_->join_group(name("g"), {name("t")});
  ASSERT_TRUE(first);
  EXPECT_THAT(values(read(**first, 1)), ElementsAre("a"));
  EXPECT_TRUE((*first)->commit());
  first->reset();
  auto second = bus_->join_group(name("g"), {name("t")});
  ASSERT_TRUE(second);
  EXPECT_THAT(values(read(**second, 1)), ElementsAre("a"));
}

TEST_P(BusSuite, commits_while_it_runs) {
  make_topic(name("t"));
  publish(name("t"), "k", "a");
  auto member = bus_->join_group(name("g"), {name("t")});
  ASSERT_TRUE(member);
  ASSERT_THAT(read(**member, 1), SizeIs(1));
  ASSERT_TRUE((*member)->store_offset({name("t"), 0}, 1));
  ASSERT_TRUE((*member)->commit());
  const std::string topics[] = {name("t")};
  EXPECT_EQ(bus_->committed(name("g"), topics).value().at({name("t"), 0}), 1);
}

TEST_P(BusSuite, shares_partitions_among_members_and_tells_them) {
  make_topic(name("t"), 4);
  Partitions first_has, second_has;
  auto first = bus_->join_group(name("g"), {name("t")}, &first_has);
  ASSERT_TRUE(first);
  ASSERT_TRUE(eventually([&] {
    (void)(*first)->poll(10, milliseconds{50});
    return first_has.held.size() == 4;
  }));
  const auto other_bus = GetParam()();
  auto second = other_bus->join_group(name("g"), {name("t")}, &second_has);
  ASSERT_TRUE(second);
  ASSERT_TRUE(eventually([&] {
    (void)(*first)->poll(10, milliseconds{50});
    (void)(*second)->poll(10, milliseconds{50});
    return first_has.held.size() == 2 && second_has.held.size() == 2;
  }));
  EXPECT_EQ(bus_->group_members(name("g")).value(), 2);
  second->reset();
  ASSERT_TRUE(eventually([&] {
    (void)(*first)->poll(10, milliseconds{50});
    return first_has.held.size() == 4;
  }));
}

TEST_P(BusSuite, takes_offsets_until_a_partition_is_gone) {
  make_topic(name("t"), 2);
  Partitions held;
  auto first = bus_->join_group(name("g"), {name("t")}, &held);
  ASSERT_TRUE(first);
  ASSERT_TRUE(eventually([&] {
    (void)(*first)->poll(10, milliseconds{50});
    return held.held.size() == 2;
  }));
  bool stored = false;
  held.on_revoked = [&] {
    stored = (*first)->store_offset({name("t"), 0}, 0).has_value() &&
             (*first)->store_offset({name("t"), 1}, 0).has_value();
  };
  auto second = bus_->join_group(name("g"), {name("t")});
  ASSERT_TRUE(second);
  ASSERT_TRUE(eventually([&] {
    (void)(*first)->poll(10, milliseconds{50});
    (void)(*second)->poll(10, milliseconds{50});
    return held.held.size() == 1;
  }));
  EXPECT_TRUE(stored);
  const TopicPartition gone{name("t"), held.held.begin()->partition == 0 ? 1 : 0};
  const auto refused = (*first)->store_offset(gone, 1);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, "kafka.not_assigned");
}

TEST_P(BusSuite, counts_members_and_says_what_they_read) {
  make_topic(name("t"));
  make_topic(name("u"));
  const std::string topics[] = {name("t"), name("u")};
  EXPECT_EQ(bus_->group_members(name("nobody")).value(), 0);
  EXPECT_THAT(bus_->group_reads(name("nobody"), topics).value(),
              ElementsAre(testing::Pair(name("t"), false), testing::Pair(name("u"), false)));
  auto member = bus_->join_group(name("g"), {name("t")});
  ASSERT_TRUE(member);
  ASSERT_TRUE(eventually([&] {
    (void)(*member)->poll(10, milliseconds{50});
    return bus_->group_reads(name("g"), topics).value().at(name("t"));
  }));
  EXPECT_EQ(bus_->group_members(name("g")).value(), 1);
  EXPECT_FALSE(bus_->group_reads(name("g"), topics).value().at(name("u")));
  member->reset();
  EXPECT_TRUE(eventually([&] { return bus_->group_members(name("g")).value() == 0; }));
}

TEST_P(BusSuite, commits_for_a_group_without_members_only) {
  make_topic(name("t"), 2);
  for (int i = 0; i < 10; ++i) publish(name("t"), std::to_string(i), std::to_string(i));
  const std::string topics[] = {name("t")};
  EXPECT_THAT(bus_->committed(name("g"), topics).value(), IsEmpty());
  const auto ends = bus_->end_offsets(topics).value();
  const auto status = bus_->commit_for(name("g"), ends);
  ASSERT_TRUE(status) << to_string(status.error());
  EXPECT_EQ(bus_->committed(name("g"), topics).value(), ends);
  auto member = bus_->join_group(name("g"), {name("t")});
  ASSERT_TRUE(member);
  ASSERT_TRUE(eventually([&] {
    (void)(*member)->poll(10, milliseconds{50});
    return bus_->group_reads(name("g"), topics).value().at(name("t"));
  }));
  publish(name("t"), "new", "new");
  EXPECT_THAT(values(read(**member, 1)), ElementsAre("new"));
  const auto refused = bus_->commit_for(name("g"), {{{name("t"), 0}, 0}});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, "kafka.group_active");
}

TEST_P(BusSuite, polls_no_longer_than_asked) {
  make_topic(name("t"));
  auto reader = bus_->read_all({name("t")}, From::kEnd);
  ASSERT_TRUE(reader) << to_string(reader.error());
  const auto before = std::chrono::steady_clock::now();
  const auto records = (*reader)->poll(10, milliseconds{50});
  ASSERT_TRUE(records);
  EXPECT_THAT(*records, IsEmpty());
  EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::seconds(5));
  EXPECT_FALSE((*reader)->store_offset({name("t"), 0}, 1));
}

}  // namespace slipway::tests
