#include "partition_counts.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/fakes/fake_bus.hpp"
#include "tests/fakes/fake_repository.hpp"

namespace slipway {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class PartitionCountsTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(bus_.ensure_topics(topics_.all())); }

  Result<ChangedCounts> check() { return check_partition_counts(bus_, repository_, clock_, topics_); }
  void expect_all_well() {
    const auto changes = check();
    ASSERT_TRUE(changes) << to_string(changes.error());
    EXPECT_FALSE(changes->refused) << to_string(*changes->refused);
    EXPECT_THAT(changes->warned, IsEmpty());
  }
  int recorded(const std::string& topic) {
    const auto document = repository_.topics().find(topic).value();
    return document ? document->partitions : 0;
  }

  SystemClock clock_;
  messages::Topics topics_;
  fakes::FakeBus bus_;
  fakes::FakeRepository repository_;
};

TEST_F(PartitionCountsTest, are_recorded_at_the_first_start) {
  expect_all_well();
  EXPECT_THAT(repository_.topics().all().value(), SizeIs(topics_.all().size()));
  const auto stats = repository_.topics().find(topics_.machine_stats).value();
  ASSERT_TRUE(stats);
  EXPECT_EQ(stats->partitions, 12);
  EXPECT_EQ(stats->cluster_id, bus_.cluster_id().value());
}

TEST_F(PartitionCountsTest, are_written_once) {
  expect_all_well();
  const int writes = repository_.writes();
  expect_all_well();
  EXPECT_EQ(repository_.writes(), writes);
}

TEST_F(PartitionCountsTest, are_adopted_as_they_are_found) {
  bus_.add_partitions(topics_.machine_stats, 5);
  expect_all_well();
  EXPECT_EQ(recorded(topics_.machine_stats), 17);
}

TEST_F(PartitionCountsTest, of_the_samples_may_not_change) {
  expect_all_well();
  bus_.add_partitions(topics_.machine_stats, 2);
  for (int start = 0; start < 2; ++start) {  // refused again, as long as nobody accepts it
    const auto changes = check();
    ASSERT_TRUE(changes) << to_string(changes.error());
    ASSERT_TRUE(changes->refused);
    EXPECT_EQ(changes->refused->kind, ErrorKind::kConflict);
    EXPECT_EQ(changes->refused->code, "kafka.partitions_changed");
    EXPECT_THAT(changes->refused->message,
                HasSubstr("slipway.machine.stats has 14 partitions, recorded are 12"));
    EXPECT_THAT(changes->refused->hint, HasSubstr("remove the document slipway.machine.stats"));
    EXPECT_THAT(changes->warned, IsEmpty());
  }
  EXPECT_EQ(recorded(topics_.machine_stats), 12);
}

TEST_F(PartitionCountsTest, of_other_topics_are_warned_of) {
  expect_all_well();
  bus_.add_partitions(topics_.machine_registry, 1);
  bus_.add_partitions(topics_.alerts, 3);
  const auto changes = check();
  ASSERT_TRUE(changes) << to_string(changes.error());
  EXPECT_FALSE(changes->refused);
  ASSERT_THAT(changes->warned, SizeIs(2));
  EXPECT_THAT(changes->warned[0].message, HasSubstr("machine.registry has 7 partitions, recorded are 6"));
  EXPECT_THAT(changes->warned[1].message, HasSubstr("slipway.alerts has 9"));
}

TEST_F(PartitionCountsTest, are_named_together) {
  expect_all_well();
  bus_.add_partitions(topics_.machine_stats, 1);
  bus_.add_partitions(topics_.alerts, 1);
  const auto changes = check();
  ASSERT_TRUE(changes) << to_string(changes.error());
  EXPECT_TRUE(changes->refused);
  EXPECT_THAT(changes->warned, SizeIs(1));
}

TEST_F(PartitionCountsTest, are_accepted_by_removing_the_document) {
  expect_all_well();
  bus_.add_partitions(topics_.machine_stats, 2);
  ASSERT_TRUE(repository_.topics().remove(topics_.machine_stats));
  expect_all_well();
  EXPECT_EQ(recorded(topics_.machine_stats), 14);
}

TEST_F(PartitionCountsTest, of_another_cluster_are_recorded_anew) {
  expect_all_well();
  bus_.set_cluster_id("another");
  bus_.add_partitions(topics_.machine_stats, 2);
  expect_all_well();
  EXPECT_EQ(recorded(topics_.machine_stats), 14);
  EXPECT_EQ(repository_.topics().find(topics_.machine_stats).value()->cluster_id, "another");
}

TEST_F(PartitionCountsTest, wait_for_a_topic_without_a_leader) {
  fakes::FakeBus empty;
  const auto changes = check_partition_counts(empty, repository_, clock_, topics_);
  ASSERT_FALSE(changes);
  EXPECT_TRUE(changes.error().retryable());
  EXPECT_THAT(repository_.topics().all().value(), IsEmpty());
}

TEST_F(PartitionCountsTest, are_not_guessed_when_the_Repository_is_away) {
  expect_all_well();
  bus_.add_partitions(topics_.machine_stats, 2);
  repository_.set_down(true);
  const auto changes = check();
  ASSERT_FALSE(changes);
  EXPECT_TRUE(changes.error().retryable());
}

}  // namespace
}  // namespace slipway
