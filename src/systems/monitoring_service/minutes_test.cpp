#include "systems/monitoring_service/minutes.hpp"

#include <gtest/gtest.h>

#include "systems/monitoring_service/fold.hpp"
#include "tests/fakes/fake_repository.hpp"

namespace slipway::monitoring_service {
namespace {

using std::chrono::seconds;

constexpr std::int64_t kMinute = 1'795'348'860'000;
const std::string kOurs(64, 'a'), kForeign(64, 'b'), kForeign2(64, 'c');

struct MinutesTest : testing::Test {
  ManualClock clock{from_ms(kMinute)};
  fakes::FakeRepository repository;
  Minutes minutes = make();

  Minutes make(MinutesSettings settings = {}, const std::string& cluster = "cluster") {
    return Minutes(repository, clock, Log::silent(), cluster, settings);
  }
  static messages::MachineSample sample(std::int64_t seq, std::int64_t t = -1) {
    messages::MachineSample made;
    made.machine = "edge-1";
    made.boot_id = "b1";
    made.seq = seq;
    made.t = t < 0 ? kMinute + seq * 1000 : t;
    made.cpu.used = static_cast<double>(seq);
    made.net = {{"eth0.7", 10, 20}};
    made.fs = {{"/", 100, 50, 1}};
    return made;
  }
  std::optional<ports::MinuteDocument> stored(const std::string& container = {}, std::int64_t at = kMinute) {
    return *repository.samples().load("edge-1", container, at);
  }
  std::vector<double> stored_values(const std::string& metric, const std::string& container = {}) {
    const auto document = stored(container);
    return document ? ports::Columns::decode(document->columns)->values(metric) : std::vector<double>{};
  }
  void run(const std::string& container_id, const std::string& service) {
    ports::Instance instance;
    instance.service_id = service;
    instance.release = service == "slipway-agent" ? 0 : 7;
    instance.machine = "edge-1";
    instance.container_id = container_id;
    ASSERT_TRUE(repository.instances().put(instance));
  }
};

TEST_F(MinutesTest, store_columns_and_plain_fields) {
  for (int i = 0; i < 60; ++i) ASSERT_TRUE(minutes.fold(sample(i), 3, 100 + i));
  ASSERT_TRUE(minutes.flush());
  const auto document = stored();
  ASSERT_TRUE(document);
  EXPECT_EQ(document->samples, 60);
  EXPECT_EQ(document->reach.through_offset, 159);
  EXPECT_EQ(document->reach.partition, 3);
  EXPECT_EQ(document->reach.cluster_id, "cluster");
  EXPECT_EQ(stored_values("cpu.used")[59], 59);
  const auto plain = *repository.samples().plain("edge-1", "", from_ms(kMinute), from_ms(kMinute + 60'000));
  ASSERT_EQ(plain.size(), 1U);
  EXPECT_EQ(plain[0].plain.at("cpu.used").avg, 29.5);
  EXPECT_EQ(plain[0].plain.at("net.eth0%2E7.rx_bps").max, 10);
  EXPECT_EQ(plain[0].plain.at("fs./.used").last, 50);
}

TEST_F(MinutesTest, wait_for_fifteen_seconds_or_the_end_of_the_minute) {
  ASSERT_TRUE(minutes.fold(sample(1), 0, 1));
  clock.advance(seconds(14));
  ASSERT_TRUE(minutes.flush_due());
  EXPECT_FALSE(stored());
  clock.advance(seconds(1));
  ASSERT_TRUE(minutes.flush_due());
  EXPECT_TRUE(stored());
  EXPECT_FALSE(minutes.lowest_unsaved(0));

  clock.advance(seconds(35));  // 50 s into the minute
  ASSERT_TRUE(minutes.fold(sample(50), 0, 50));
  clock.advance(seconds(11));
  ASSERT_TRUE(minutes.flush_due());
  EXPECT_EQ(stored()->samples, 1) << "its last samples may be on the way";
  clock.advance(seconds(1));
  ASSERT_TRUE(minutes.flush_due());
  EXPECT_EQ(stored()->samples, 2);
}

TEST_F(MinutesTest, know_the_lowest_offset_that_is_not_stored) {
  ASSERT_TRUE(minutes.fold(sample(1), 0, 11));
  ASSERT_TRUE(minutes.fold(sample(70), 0, 12));
  auto other = sample(1);
  other.machine = "edge-2";
  ASSERT_TRUE(minutes.fold(other, 5, 3));
  EXPECT_EQ(minutes.lowest_unsaved(0), 11);
  EXPECT_EQ(minutes.lowest_unsaved(5), 3);
  EXPECT_FALSE(minutes.lowest_unsaved(1));
  ASSERT_TRUE(minutes.flush({0}));
  EXPECT_FALSE(minutes.lowest_unsaved(0));
  EXPECT_EQ(minutes.lowest_unsaved(5), 3);
}

TEST_F(MinutesTest, load_before_they_fold) {
  for (int i = 0; i < 30; ++i) ASSERT_TRUE(minutes.fold(sample(i), 0, i));
  ASSERT_TRUE(minutes.flush());
  Minutes after_restart = make();
  for (int i = 20; i < 60; ++i) ASSERT_TRUE(after_restart.fold(sample(i), 0, i));
  ASSERT_TRUE(after_restart.flush());
  EXPECT_EQ(stored()->samples, 60);
  EXPECT_EQ(stored()->reach.through_offset, 59);
}

TEST_F(MinutesTest, take_a_sample_once_and_number_it_by_boot) {
  ASSERT_TRUE(minutes.fold(sample(1), 0, 1));
  ASSERT_TRUE(minutes.fold(sample(1), 0, 2));
  auto rebooted = sample(1);
  rebooted.boot_id = "b2";
  ASSERT_TRUE(minutes.fold(rebooted, 0, 3));
  ASSERT_TRUE(minutes.flush());
  EXPECT_EQ(stored()->samples, 2);
}

TEST_F(MinutesTest, are_opened_again_by_late_samples) {
  ASSERT_TRUE(minutes.fold(sample(1), 0, 1));
  ASSERT_TRUE(minutes.flush());
  clock.advance(seconds(600));
  ASSERT_TRUE(minutes.flush_due());
  EXPECT_EQ(minutes.size(), 0U);
  ASSERT_TRUE(minutes.fold(sample(2), 0, 700));
  clock.advance(seconds(2));
  ASSERT_TRUE(minutes.flush_due());
  EXPECT_EQ(stored()->samples, 2);
  EXPECT_EQ(stored()->reach.through_offset, 700);
}

TEST_F(MinutesTest, write_the_plain_fields_again_when_only_the_columns_were_stored) {
  ASSERT_TRUE(minutes.fold(sample(1), 0, 1));
  ASSERT_TRUE(minutes.flush());
  Minutes after_restart = make();
  const int before = repository.writes();
  ASSERT_TRUE(after_restart.fold(sample(1), 0, 1));  // the same sample again: its offset was not committed
  EXPECT_EQ(after_restart.lowest_unsaved(0), 1);
  ASSERT_TRUE(after_restart.flush());
  EXPECT_EQ(repository.writes(), before + 1);
}

TEST_F(MinutesTest, merge_with_what_somebody_else_stored_meanwhile) {
  ASSERT_TRUE(minutes.fold(sample(1), 0, 1));
  Minutes other = make();
  ASSERT_TRUE(other.fold(sample(2), 0, 2));
  ASSERT_TRUE(other.fold(sample(3), 0, 3));
  ASSERT_TRUE(other.flush());
  ASSERT_TRUE(minutes.flush());
  EXPECT_EQ(stored()->samples, 3);
  EXPECT_EQ(stored()->reach.through_offset, 3);
  EXPECT_FALSE(minutes.lowest_unsaved(0));
}

TEST_F(MinutesTest, merge_across_partitions_and_clusters) {
  ASSERT_TRUE(minutes.fold(sample(1), 0, 1000));
  ASSERT_TRUE(minutes.flush());
  Minutes elsewhere = make({}, "another cluster");
  ASSERT_TRUE(elsewhere.fold(sample(2), 7, 1));
  ASSERT_TRUE(elsewhere.flush());
  EXPECT_EQ(stored()->samples, 2);
  EXPECT_EQ(stored()->reach.cluster_id, "another cluster");
  EXPECT_EQ(stored()->reach.through_offset, 1);
}

TEST_F(MinutesTest, give_containers_to_their_services_and_sum_up_the_others) {
  run(kOurs, "boiler");
  auto one = sample(1);
  one.containers = {{kOurs, 12.5, 1000, 2000, 3, 0, 5.0, 6.0},
                    {kForeign, 1, 10, 0, 1, 0, {}, {}},
                    {kForeign2, 2, 20, 0, 2, 0, {}, {}}};
  ASSERT_TRUE(minutes.fold(one, 0, 1));
  ASSERT_TRUE(minutes.flush());
  const auto ours = stored(kOurs);
  ASSERT_TRUE(ours);
  EXPECT_EQ(ours->service_id, "boiler");
  EXPECT_EQ(ours->release, 7);
  EXPECT_EQ(stored_values("cpu", kOurs), std::vector<double>{12.5});
  EXPECT_EQ(stored_values("rx_bps", kOurs), std::vector<double>{5});
  EXPECT_EQ(stored_values("cpu", "others"), std::vector<double>{3});
  EXPECT_EQ(stored_values("mem", "others"), std::vector<double>{30});
  EXPECT_EQ(stored_values("containers", "others"), std::vector<double>{2});
  EXPECT_FALSE(stored(kForeign));
}

TEST_F(MinutesTest, learn_of_new_containers_within_seconds) {
  auto one = sample(1);
  one.containers = {{kOurs, 1, 1, 0, 1, 0, {}, {}}};
  ASSERT_TRUE(minutes.fold(one, 0, 1));
  run(kOurs, "slipway-agent");
  clock.advance(seconds(3));
  one.seq = 4;
  ASSERT_TRUE(minutes.fold(one, 0, 2));
  ASSERT_TRUE(minutes.flush());
  const auto ours = stored(kOurs);
  ASSERT_TRUE(ours);
  EXPECT_EQ(ours->service_id, "slipway-agent");
  EXPECT_FALSE(ours->release);
  EXPECT_EQ(stored("others")->samples, 1);
}

TEST_F(MinutesTest, fold_nothing_when_the_repository_is_away) {
  run(kOurs, "boiler");
  auto one = sample(1);
  one.containers = {{kOurs, 1, 1, 0, 1, 0, {}, {}}};
  repository.set_down(true);
  EXPECT_FALSE(minutes.fold(one, 0, 1));
  EXPECT_FALSE(minutes.lowest_unsaved(0));
  repository.set_down(false);
  ASSERT_TRUE(minutes.fold(one, 0, 1));
  repository.set_down(true);
  EXPECT_FALSE(minutes.flush());
  EXPECT_EQ(minutes.lowest_unsaved(0), 1) << "nothing is promised by a failed write";
  repository.set_down(false);
  ASSERT_TRUE(minutes.flush());
  EXPECT_EQ(stored()->samples, 1);
  EXPECT_EQ(stored(kOurs)->samples, 1);
}

TEST_F(MinutesTest, write_again_after_an_answer_that_got_lost) {
  ASSERT_TRUE(minutes.fold(sample(1), 0, 1));
  repository.lose_answers(1, "samples");
  EXPECT_FALSE(minutes.flush());
  EXPECT_EQ(minutes.lowest_unsaved(0), 1);
  ASSERT_TRUE(minutes.flush());
  EXPECT_EQ(stored()->samples, 1);
}

TEST_F(MinutesTest, stay_within_their_bound) {
  Minutes few = make({.most = 10});
  for (int i = 0; i < 100; ++i) {
    auto one = sample(1);
    one.machine = "edge-" + std::to_string(i);
    ASSERT_TRUE(few.fold(one, 0, i));
    EXPECT_LE(few.size(), 10U);
  }
  ASSERT_TRUE(few.flush());
  for (int i = 0; i < 100; ++i)
    EXPECT_TRUE(*repository.samples().load("edge-" + std::to_string(i), "", kMinute)) << i;
}

TEST_F(MinutesTest, begin_anew_where_what_is_stored_cannot_be_read) {
  ports::MinuteDocument broken;
  broken.machine = "edge-1";
  broken.minute = kMinute;
  broken.columns = "no columns";
  ASSERT_TRUE(repository.samples().write({broken}));
  ASSERT_TRUE(minutes.fold(sample(1), 0, 1));
  ASSERT_TRUE(minutes.flush());
  EXPECT_EQ(stored()->samples, 1);
}

}  // namespace
}  // namespace slipway::monitoring_service
