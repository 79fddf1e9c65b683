#include "tests/ports/repository_suite.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <thread>

#include "base/ids.hpp"

// What every Repository promises; runs on the fake and on the real one.
namespace slipway::tests {
namespace {

using namespace ports;

const WallTime kNow = from_ms(1'795'348'901'134);

std::string fresh(const std::string& prefix) {
  static std::atomic<int> count = 0;
  return prefix + std::to_string(random_u64() % 1'000'000'000) + "-" + std::to_string(++count);
}

#define ASSERT_OK(expression)                                       \
  do {                                                              \
    const auto& outcome = (expression);                             \
    ASSERT_TRUE(outcome.has_value()) << to_string(outcome.error()); \
  } while (false)

template <class T>
T value_of(Result<T> result) {
  EXPECT_TRUE(result.has_value()) << to_string(result.error());
  return result ? std::move(*result) : T{};
}

Instance instance(const std::string& service, const std::string& machine, std::int64_t release) {
  Instance made;
  made.service_id = service;
  made.machine = machine;
  made.release = release;
  made.container_id = service + "-container-" + std::to_string(release);
  made.ports = {{8080, "127.0.0.1:4711"}};
  made.since = kNow;
  return made;
}

TEST(RepositoryTables, find_what_was_put) {
  auto& instances = repository_under_test().instances();
  Instance mine = instance(fresh("s"), "edge-1", 1);
  EXPECT_FALSE(value_of(instances.find(mine.id())));
  ASSERT_OK(instances.put(mine));
  mine.state = "running";
  ASSERT_OK(instances.put(mine));
  const auto found = value_of(instances.find(mine.id()));
  ASSERT_TRUE(found);
  EXPECT_EQ(found->state, "running");
  EXPECT_EQ(found->ports, mine.ports);
  EXPECT_EQ(found->since, kNow);
}

TEST(RepositoryTables, insert_only_once) {
  auto& answers = repository_under_test().answers("scheduler");
  const Answer first{fresh("r"), "digest", "topic", "key", "first", kNow + std::chrono::hours(24 * 3650)};
  Answer second = first;
  second.reply = "second";
  EXPECT_TRUE(value_of(answers.insert(first)));
  EXPECT_FALSE(value_of(answers.insert(second)));
  EXPECT_EQ(value_of(answers.find(first.request_id))->reply, "first");
}

TEST(RepositoryTables, are_separate_for_each_role) {
  const Answer answer{fresh("r"), "d", "t", "k", "reply", kNow + std::chrono::hours(24 * 3650)};
  EXPECT_TRUE(value_of(repository_under_test().answers("sensor_manager").insert(answer)));
  EXPECT_TRUE(value_of(repository_under_test().answers("node_manager").insert(answer)));
}

TEST(RepositoryTables, remove_what_is_there_and_what_is_not) {
  auto& instances = repository_under_test().instances();
  const Instance mine = instance(fresh("s"), "edge-1", 1);
  ASSERT_OK(instances.put(mine));
  ASSERT_OK(instances.remove(mine.id()));
  ASSERT_OK(instances.remove(mine.id()));
  EXPECT_FALSE(value_of(instances.find(mine.id())));
}

TEST(RepositoryTables, answer_where_by_field_greatest_id_first) {
  auto& releases = repository_under_test().releases();
  const std::string service = fresh("s");
  for (const int number : {9, 10, 2}) {
    Release release;
    release.service_id = service;
    release.number = number;
    release.created_at = kNow;
    ASSERT_OK(releases.put(release));
  }
  const auto newest = value_of(releases.where("service_id", service, 2));
  ASSERT_EQ(newest.size(), 2U);
  EXPECT_EQ(newest[0].number, 10);
  EXPECT_EQ(newest[1].number, 9);
  EXPECT_TRUE(value_of(releases.where("service_id", service, 0)).empty());
  EXPECT_TRUE(value_of(releases.where("service_id", fresh("none"), 5)).empty());
}

TEST(RepositoryTables, refuse_where_without_an_index) {
  const auto found = repository_under_test().releases().where("dockerfile", "x", 1);
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, "repository.no_index");
}

TEST(RepositoryTables, list_all_in_the_order_of_their_ids) {
  auto& services = repository_under_test().services();
  const std::string prefix = fresh("all");
  for (const char* name : {"-b", "-a", "-c"}) {
    Service service;
    service.service_id = prefix + name;
    ASSERT_OK(services.put(service));
  }
  std::vector<std::string> ids;
  for (const auto& service : value_of(services.all()))
    if (service.service_id.starts_with(prefix)) ids.push_back(service.service_id);
  EXPECT_EQ(ids, (std::vector<std::string>{prefix + "-a", prefix + "-b", prefix + "-c"}));
}

TEST(RepositoryTables, keep_topics_by_their_dotted_names) {
  auto& topics = repository_under_test().topics();
  const TopicDocument twelve{fresh("slipway.machine.stats"), "c-1", 12, kNow};
  TopicDocument fourteen = twelve;
  fourteen.partitions = 14;
  EXPECT_TRUE(value_of(topics.insert(twelve)));
  EXPECT_FALSE(value_of(topics.insert(fourteen)));
  const auto found = value_of(topics.find(twelve.name));
  ASSERT_TRUE(found);
  EXPECT_EQ(found->cluster_id, "c-1");
  EXPECT_EQ(found->partitions, 12);
  ASSERT_OK(topics.remove(twelve.name));
  EXPECT_FALSE(value_of(topics.find(twelve.name)));
}

TEST(RepositoryTables, keep_labels_that_look_like_operators) {
  MachineDocument machine;
  machine.machine.name = fresh("m");
  machine.machine.labels = {{"$set", "1"}, {"a.b/c", "2"}, {"100%", "3"}, {"$date", "4"}};
  ASSERT_OK(repository_under_test().machines().put(machine));
  const auto found = value_of(repository_under_test().machines().find(machine.machine.name));
  ASSERT_TRUE(found);
  EXPECT_EQ(found->machine.labels, machine.machine.labels);
}

TEST(RepositoryTables, store_log_lines_that_are_not_utf8) {
  Failure failure;
  failure.request_id = fresh("r");
  failure.last_logs = {std::string("caf\xe9 \x1b[31m"), std::string("nul\0byte", 8)};
  failure.error = internal_error("x", "y");
  ASSERT_OK(repository_under_test().failures().put(failure));
  const auto found = value_of(repository_under_test().failures().find(failure.request_id));
  ASSERT_TRUE(found);
  EXPECT_EQ(found->last_logs.size(), 2U);
}

// ---- lanes

struct LaneTest : testing::Test {
  LaneStore& lanes = repository_under_test().lanes();
  const std::string service = fresh("lane");
  Lane now() { return value_of(lanes.find(service)).value_or(Lane{}); }
  Lane taken(const std::string& request = "r-1", const std::string& owner = "me") {
    EXPECT_TRUE(lanes.enqueue(service, request));
    return value_of(lanes.take(service, request, owner)).value_or(Lane{});
  }
};

TEST_F(LaneTest, is_made_by_the_first_request) {
  EXPECT_FALSE(value_of(lanes.find(service)));
  const Lane lane = value_of(lanes.enqueue(service, "r-1"));
  EXPECT_EQ(lane.service_id, service);
  EXPECT_EQ(lane.queue, std::vector<std::string>{"r-1"});
  EXPECT_EQ(lane.last_accepted, 1);
  EXPECT_EQ(lane.wanted, Wanted::kRemoved);
  EXPECT_FALSE(lane.active);
  const auto all = value_of(lanes.all());
  EXPECT_EQ(std::ranges::count(all, service, &Lane::service_id), 1);
}

TEST_F(LaneTest, queues_a_request_once) {
  ASSERT_OK(lanes.enqueue(service, "r-1"));
  ASSERT_OK(lanes.enqueue(service, "r-2"));
  EXPECT_EQ(value_of(lanes.enqueue(service, "r-1")).queue, (std::vector<std::string>{"r-1", "r-2"}));
  ASSERT_TRUE(value_of(lanes.take(service, "r-1", "me")));
  const Lane after = value_of(lanes.enqueue(service, "r-1"));
  EXPECT_EQ(after.queue, std::vector<std::string>{"r-2"});
  EXPECT_EQ(after.last_accepted, 2);
}

TEST_F(LaneTest, is_taken_in_order_by_one) {
  ASSERT_OK(lanes.enqueue(service, "r-1"));
  ASSERT_OK(lanes.enqueue(service, "r-2"));
  EXPECT_FALSE(value_of(lanes.take(service, "r-2", "me")));
  const auto lane = value_of(lanes.take(service, "r-1", "me"));
  ASSERT_TRUE(lane);
  EXPECT_EQ(lane->active, "r-1");
  EXPECT_EQ(lane->owner, "me");
  EXPECT_EQ(lane->epoch, 1);
  EXPECT_EQ(lane->queue, std::vector<std::string>{"r-2"});
  EXPECT_FALSE(value_of(lanes.take(service, "r-2", "other")));
  EXPECT_FALSE(value_of(lanes.take(fresh("nothing"), "r-1", "me")));
}

TEST_F(LaneTest, is_taken_over_only_as_it_was_seen) {
  const Lane seen = taken();
  EXPECT_TRUE(value_of(lanes.renew(service, "r-1", seen.epoch)));
  EXPECT_FALSE(value_of(lanes.take_over(seen, "other")));
  const auto mine = value_of(lanes.take_over(now(), "other"));
  ASSERT_TRUE(mine);
  EXPECT_EQ(mine->epoch, seen.epoch + 1);
  EXPECT_EQ(mine->owner, "other");
  EXPECT_FALSE(value_of(lanes.renew(service, "r-1", seen.epoch)));
  EXPECT_FALSE(value_of(lanes.cut_over(service, "r-1", seen.epoch, {})));
  EXPECT_FALSE(value_of(lanes.take_release(service, "r-1", seen.epoch)));
  EXPECT_FALSE(value_of(lanes.release_lane(service, "r-1", seen.epoch)));
}

TEST_F(LaneTest, gives_release_numbers_to_its_owner) {
  const Lane lane = taken();
  EXPECT_EQ(value_of(lanes.take_release(service, "r-1", lane.epoch)), 1);
  EXPECT_EQ(value_of(lanes.take_release(service, "r-1", lane.epoch)), 1) << "asked again after a crash";
  EXPECT_FALSE(value_of(lanes.take_release(service, "r-2", lane.epoch)));
  EXPECT_TRUE(value_of(lanes.release_lane(service, "r-1", lane.epoch)));
  const Lane next = taken("r-2");
  EXPECT_EQ(value_of(lanes.take_release(service, "r-2", next.epoch)), 2);
}

TEST_F(LaneTest, cannot_be_cut_over_when_cancelled) {
  const Lane lane = taken();
  EXPECT_TRUE(value_of(lanes.cancel(service, "r-1")));
  EXPECT_TRUE(value_of(lanes.cancel(service, "r-1")));
  EXPECT_FALSE(value_of(lanes.cut_over(service, "r-1", lane.epoch, {1, {}, Wanted::kRunning, {"edge-1"}})));
  EXPECT_FALSE(now().committed);
}

TEST_F(LaneTest, cannot_be_cancelled_when_cut_over) {
  const Lane lane = taken();
  EXPECT_TRUE(value_of(lanes.cut_over(service, "r-1", lane.epoch, {3, 2, Wanted::kRunning, {"edge-1"}})));
  EXPECT_TRUE(value_of(lanes.cut_over(service, "r-1", lane.epoch, {4, 3, Wanted::kStopped, {}})));
  EXPECT_FALSE(value_of(lanes.cancel(service, "r-1")));
  const Lane after = now();
  EXPECT_EQ(after.committed, 3);
  EXPECT_EQ(after.previous, 2);
  EXPECT_EQ(after.wanted, Wanted::kRunning);
  EXPECT_EQ(after.machines, std::vector<std::string>{"edge-1"});
}

TEST_F(LaneTest, keeps_what_is_committed_when_a_cutover_names_none) {
  Lane lane = taken();
  ASSERT_TRUE(value_of(lanes.cut_over(service, "r-1", lane.epoch, {3, 2, Wanted::kRunning, {"edge-1"}})));
  ASSERT_TRUE(value_of(lanes.release_lane(service, "r-1", lane.epoch)));
  lane = taken("r-2");
  ASSERT_TRUE(value_of(lanes.cut_over(service, "r-2", lane.epoch, {{}, {}, Wanted::kStopped, {"edge-1"}})));
  EXPECT_EQ(now().committed, 3);
  EXPECT_EQ(now().previous, 2);
  EXPECT_EQ(now().wanted, Wanted::kStopped);
}

TEST_F(LaneTest, cancel_and_cutover_race_for_one_winner) {
  for (int i = 0; i < 20; ++i) {
    const std::string request = "r-" + std::to_string(i);
    const Lane lane = taken(request);
    bool cancelled = false, cut_over = false;
    {
      std::jthread a([&] { cancelled = value_of(lanes.cancel(service, request)); });
      std::jthread b([&] { cut_over = value_of(lanes.cut_over(service, request, lane.epoch, {})); });
    }
    EXPECT_NE(cancelled, cut_over);
    ASSERT_TRUE(value_of(lanes.release_lane(service, request, lane.epoch)));
  }
}

TEST_F(LaneTest, is_taken_by_one_of_many) {
  ASSERT_OK(lanes.enqueue(service, "r-1"));
  std::atomic<int> winners = 0;
  {
    std::vector<std::jthread> deployers;
    for (int i = 0; i < 8; ++i)
      deployers.emplace_back([&, i] {
        if (value_of(lanes.take(service, "r-1", "d-" + std::to_string(i)))) ++winners;
      });
  }
  EXPECT_EQ(winners, 1);
}

TEST_F(LaneTest, counts_every_one_of_many_requests) {
  {
    std::vector<std::jthread> senders;
    for (int i = 0; i < 8; ++i)
      senders.emplace_back([&, i] { EXPECT_TRUE(lanes.enqueue(service, "r-" + std::to_string(i))); });
  }
  EXPECT_EQ(now().last_accepted, 8);
  EXPECT_EQ(now().queue.size(), 8U);
}

TEST_F(LaneTest, lets_go_of_a_waiting_request) {
  ASSERT_OK(lanes.enqueue(service, "r-1"));
  EXPECT_TRUE(value_of(lanes.unqueue(service, "r-1")));
  EXPECT_FALSE(value_of(lanes.unqueue(service, "r-1")));
  EXPECT_FALSE(value_of(lanes.take(service, "r-1", "me")));
}

TEST_F(LaneTest, completes_only_what_is_committed_and_running) {
  const Lane lane = taken();
  EXPECT_FALSE(value_of(lanes.complete(service, 1)));
  ASSERT_TRUE(value_of(lanes.cut_over(service, "r-1", lane.epoch, {1, {}, Wanted::kRunning, {"edge-1"}})));
  EXPECT_FALSE(value_of(lanes.complete(service, 2)));
  EXPECT_TRUE(value_of(lanes.complete(service, 1)));
  EXPECT_EQ(now().wanted, Wanted::kCompleted);
}

TEST_F(LaneTest, is_free_again_when_released) {
  const Lane lane = taken();
  ASSERT_TRUE(value_of(lanes.cancel(service, "r-1")));
  EXPECT_TRUE(value_of(lanes.release_lane(service, "r-1", lane.epoch)));
  EXPECT_FALSE(value_of(lanes.release_lane(service, "r-1", lane.epoch)));
  const Lane next = taken("r-2");
  EXPECT_EQ(next.epoch, lane.epoch + 1);
  EXPECT_FALSE(next.cancel);
  EXPECT_FALSE(next.cut_over);
}

// ---- deployments

struct DeploymentTest : testing::Test {
  DeploymentStore& deployments = repository_under_test().deployments();
  const std::string id = fresh("r");

  Deployment made(const std::string& request_id, const std::string& service = "s", WallTime at = kNow) {
    Deployment deployment;
    deployment.request_id = request_id;
    deployment.service_id = service;
    deployment.request.request_id = request_id;
    deployment.request.service_id = service;
    deployment.request.path = "s/1";
    deployment.request_digest = "digest";
    deployment.created_at = at;
    deployment.expires_at = at + std::chrono::hours(24 * 3650);
    return deployment;
  }
  messages::DeploymentStatus status(std::int64_t seq, bool final = false) {
    messages::DeploymentStatus made;
    made.request_id = id;
    made.service_id = "s";
    made.seq = seq;
    made.at = kNow;
    made.final = final;
    made.stage = final ? messages::Stage::kDone : messages::Stage::kBuilt;
    made.state = final ? messages::State::kSucceeded : messages::State::kRunning;
    made.topics = {{"air.$x", "sensor.a"}};
    return made;
  }
  Deployment now() { return value_of(deployments.find(id)).value_or(Deployment{}); }
};

TEST_F(DeploymentTest, is_stored_once_by_its_request_id) {
  EXPECT_FALSE(value_of(deployments.find(id)));
  EXPECT_TRUE(value_of(deployments.insert(made(id))));
  Deployment other = made(id);
  other.request_digest = "another";
  EXPECT_FALSE(value_of(deployments.insert(other)));
  const Deployment found = now();
  EXPECT_EQ(found.request_digest, "digest");
  EXPECT_EQ(found.request.path, "s/1");
  EXPECT_TRUE(found.open);
  EXPECT_TRUE(found.unpublished);
}

TEST_F(DeploymentTest, numbers_its_stages_without_gaps) {
  ASSERT_OK(deployments.insert(made(id)));
  EXPECT_FALSE(value_of(deployments.append(id, 1, status(2))));
  EXPECT_TRUE(value_of(deployments.append(id, 1, status(1))));
  EXPECT_FALSE(value_of(deployments.append(id, 1, status(1))));
  EXPECT_TRUE(value_of(deployments.append(id, 2, status(2))));
  EXPECT_FALSE(value_of(deployments.append(id, 1, status(3)))) << "an older epoch writes nothing";
  EXPECT_FALSE(value_of(deployments.append(fresh("none"), 1, status(1))));
  ASSERT_EQ(now().stages.size(), 2U);
  EXPECT_EQ(now().stages[1].seq, 2);
  EXPECT_EQ(now().stages[0].topics, status(1).topics);
  EXPECT_EQ(now().epoch, 2);
}

TEST_F(DeploymentTest, is_closed_by_its_final_status) {
  ASSERT_OK(deployments.insert(made(id)));
  const auto open_ids = [&] {
    const auto found = value_of(deployments.open());
    return std::ranges::count(found, id, &Deployment::request_id);
  };
  EXPECT_EQ(open_ids(), 1);
  ASSERT_TRUE(value_of(deployments.append(id, 1, status(1))));
  EXPECT_FALSE(now().end);
  ASSERT_TRUE(value_of(deployments.append(id, 1, status(2, true))));
  EXPECT_EQ(now().end, messages::State::kSucceeded);
  EXPECT_FALSE(now().open);
  EXPECT_EQ(open_ids(), 0);
}

TEST_F(DeploymentTest, stays_unpublished_until_all_of_it_is_on_kafka) {
  ASSERT_OK(deployments.insert(made(id)));
  const auto waits = [&] {
    const auto found = value_of(deployments.unpublished());
    return std::ranges::count(found, id, &Deployment::request_id) == 1;
  };
  ASSERT_TRUE(value_of(deployments.append(id, 1, status(1))));
  ASSERT_OK(deployments.mark_published(id, 1));
  EXPECT_TRUE(waits()) << "it has not ended";
  ASSERT_TRUE(value_of(deployments.append(id, 1, status(2, true))));
  ASSERT_OK(deployments.mark_published(id, 1));
  EXPECT_TRUE(waits());
  ASSERT_OK(deployments.mark_published(id, 2));
  EXPECT_FALSE(waits());
  ASSERT_OK(deployments.mark_published(id, 1));
  EXPECT_EQ(now().published, 2);
  EXPECT_FALSE(now().unpublished);
}

TEST_F(DeploymentTest, keeps_facts_beside_each_other) {
  ASSERT_OK(deployments.insert(made(id)));
  EXPECT_TRUE(value_of(deployments.set_facts(id, 2, {{"machine", "edge-1"}, {"a.b", "1"}})));
  EXPECT_TRUE(value_of(deployments.set_facts(id, 2, {{"release", "7"}})));
  EXPECT_FALSE(value_of(deployments.set_facts(id, 1, {{"machine", "edge-2"}})));
  EXPECT_EQ(now().facts,
            (std::map<std::string, std::string>{{"machine", "edge-1"}, {"a.b", "1"}, {"release", "7"}}));
}

TEST_F(DeploymentTest, lists_the_latest_of_a_service) {
  const std::string service = fresh("s");
  for (int i = 0; i < 3; ++i)
    ASSERT_OK(
        deployments.insert(made(id + "-" + std::to_string(i), service, kNow + std::chrono::seconds(i))));
  const auto latest = value_of(deployments.latest(service, 2));
  ASSERT_EQ(latest.size(), 2U);
  EXPECT_EQ(latest[0].request_id, id + "-2");
  EXPECT_EQ(latest[1].request_id, id + "-1");
  EXPECT_TRUE(value_of(deployments.latest(service, 0)).empty());
  EXPECT_FALSE(value_of(deployments.latest("", 10)).empty());
}

// ---- leases

TEST(RepositoryLeases, have_one_holder) {
  auto& leases = repository_under_test().leases();
  const std::string name = fresh("lease");
  EXPECT_FALSE(value_of(leases.find(name)));
  const auto first = value_of(leases.take(name, "a", std::nullopt));
  ASSERT_TRUE(first);
  EXPECT_FALSE(value_of(leases.take(name, "b", std::nullopt)));
  EXPECT_TRUE(value_of(leases.renew(*first)));
  EXPECT_FALSE(value_of(leases.take(name, "b", first))) << "it was renewed since";
  const auto second = value_of(leases.take(name, "b", value_of(leases.find(name))));
  ASSERT_TRUE(second);
  EXPECT_EQ(second->epoch, first->epoch + 1);
  EXPECT_FALSE(value_of(leases.renew(*first)));
  EXPECT_TRUE(value_of(leases.renew(*second)));
}

TEST(RepositoryLeases, given_back_are_free_at_once) {
  auto& leases = repository_under_test().leases();
  const std::string name = fresh("lease");
  const auto first = value_of(leases.take(name, "a", std::nullopt));
  ASSERT_TRUE(first);
  ASSERT_OK(leases.give_back(*first));
  const auto free = value_of(leases.find(name));
  ASSERT_TRUE(free);
  EXPECT_EQ(free->holder, "");
  const auto second = value_of(leases.take(name, "b", free));
  ASSERT_TRUE(second);
  EXPECT_GT(second->epoch, first->epoch) << "an epoch never comes again";
  ASSERT_OK(leases.give_back(*first));
  EXPECT_EQ(value_of(leases.find(name))->holder, "b") << "only the holder gives back";
}

// ---- samples

struct SampleTest : testing::Test {
  SampleStore& samples = repository_under_test().samples();
  const std::string machine = fresh("edge");
  // Never in the past: real minutes expire.
  const std::int64_t minute = 4'102'444'800'000;

  MinuteDocument made(std::int64_t offset, const std::string& container = {}, std::int64_t at = 0) {
    MinuteDocument document;
    document.machine = machine;
    document.container_id = container;
    document.service_id = container.empty() ? "" : "boiler";
    if (!container.empty()) document.release = 7;
    document.minute = minute + at * 60'000;
    document.reach = {"cluster", 3, offset};
    document.columns = std::string("\x00\x01\xff columns", 11) + std::to_string(offset);
    document.plain = {{"cpu.used", {1, 2, 3, 4, 5, 60}}, {"net.eth0%2E1.rx_bps", {0, 0.5, 1, 1, 1, 60}}};
    document.samples = 60;
    return document;
  }
  WallTime at(std::int64_t minutes) { return from_ms(minute + minutes * 60'000); }
};

TEST_F(SampleTest, come_back_as_columns_and_as_plain_fields) {
  EXPECT_FALSE(value_of(samples.load(machine, "", minute)));
  EXPECT_TRUE(value_of(samples.write({made(5)})).empty());
  const auto loaded = value_of(samples.load(machine, "", minute));
  ASSERT_TRUE(loaded);
  EXPECT_EQ(loaded->columns, made(5).columns);
  EXPECT_EQ(loaded->reach.through_offset, 5);
  EXPECT_EQ(loaded->reach.cluster_id, "cluster");
  EXPECT_EQ(loaded->samples, 60);
  EXPECT_TRUE(loaded->plain.empty());
  const auto plain = value_of(samples.plain(machine, "", at(0), at(1)));
  ASSERT_EQ(plain.size(), 1U);
  EXPECT_TRUE(plain[0].columns.empty());
  ASSERT_TRUE(plain[0].plain.contains("cpu.used"));
  ASSERT_TRUE(plain[0].plain.contains("net.eth0%2E1.rx_bps"));
  EXPECT_EQ(plain[0].plain.at("cpu.used").p95, 4);
  EXPECT_EQ(plain[0].plain.at("cpu.used").count, 60);
  EXPECT_EQ(plain[0].plain.at("net.eth0%2E1.rx_bps").avg, 0.5);
}

TEST_F(SampleTest, never_replace_what_reaches_further) {
  ASSERT_OK(samples.write({made(5)}));
  EXPECT_EQ(value_of(samples.write({made(4), made(1, "c1")})), std::vector<std::string>{made(4).id()});
  EXPECT_EQ(value_of(samples.load(machine, "", minute))->columns, made(5).columns);
  EXPECT_TRUE(value_of(samples.load(machine, "c1", minute))) << "the others of a batch are written";
  EXPECT_TRUE(value_of(samples.write({made(5)})).empty()) << "the same again is no refusal";
  EXPECT_TRUE(value_of(samples.write({made(6)})).empty());
  MinuteDocument elsewhere = made(0);
  elsewhere.reach.partition = 4;
  EXPECT_TRUE(value_of(samples.write({elsewhere})).empty())
      << "another partition's offsets cannot be compared";
  EXPECT_EQ(value_of(samples.load(machine, "", minute))->reach.partition, 4);
}

TEST_F(SampleTest, are_found_by_range_ascending) {
  ASSERT_OK(samples.write({made(1, "", 2), made(1, "", 0), made(1, "", 1), made(1, "c1", 1)}));
  const auto plain = value_of(samples.plain(machine, "", at(0), at(2)));
  ASSERT_EQ(plain.size(), 2U);
  EXPECT_EQ(plain[0].minute, minute);
  EXPECT_EQ(plain[1].minute, minute + 60'000);
  const auto columns = value_of(samples.columns(machine, "c1", at(0), at(5)));
  ASSERT_EQ(columns.size(), 1U);
  EXPECT_EQ(columns[0].service_id, "boiler");
  EXPECT_EQ(columns[0].release, 7);
}

TEST_F(SampleTest, name_the_containers_of_a_machine) {
  ASSERT_OK(samples.write(
      {made(1, "c1", 0), made(1, "c1", 1), made(1, "c2", 0), made(1, "", 0), made(1, "c3", 9)}));
  const auto found = value_of(samples.containers(machine, at(0), at(5)));
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].container_id, "c1");
  EXPECT_EQ(found[0].minute, minute + 60'000);
  EXPECT_EQ(found[1].container_id, "c2");
  EXPECT_EQ(found[1].plain.at("cpu.used").last, 5);
}

TEST_F(SampleTest, are_written_in_batches_of_any_size) {
  std::vector<MinuteDocument> many;
  for (int i = 0; i < 250; ++i) many.push_back(made(i, i % 2 ? "" : "c1", i));
  EXPECT_TRUE(value_of(samples.write(many)).empty());
  EXPECT_EQ(value_of(samples.plain(machine, "", at(0), at(1000))).size(), 125U);
  EXPECT_EQ(value_of(samples.plain(machine, "c1", at(0), at(1000))).size(), 125U);
  EXPECT_TRUE(value_of(samples.write({})).empty());
}

// ---- sources

std::string read_to_end(SourceStore& sources, const std::string& file_id, std::size_t piece) {
  auto reader = sources.open(file_id);
  EXPECT_TRUE(reader) << to_string(reader.error());
  if (!reader) return {};
  std::string bytes, buffer(piece, '\0');
  for (;;) {
    const auto count = (*reader)->read(buffer);
    EXPECT_TRUE(count) << to_string(count.error());
    if (!count || *count == 0) return bytes;
    bytes.append(buffer, 0, *count);
  }
}

TEST(RepositorySources, newest_upload_of_a_path_comes_first) {
  auto& sources = repository_under_test().sources();
  const std::string path = fresh("boiler/1.");
  EXPECT_TRUE(value_of(sources.find(path)).empty());
  const auto first = value_of(sources.put(path, "first"));
  const auto second = value_of(sources.put(path, "second"));
  const auto found = value_of(sources.find(path));
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].file_id, second.file_id);
  EXPECT_EQ(found[0].size, 6);
  EXPECT_EQ(found[0].path, path);
  EXPECT_EQ(found[1].file_id, first.file_id);
  EXPECT_EQ(read_to_end(sources, first.file_id, 2), "first");
}

TEST(RepositorySources, hold_archives_of_many_chunks) {
  auto& sources = repository_under_test().sources();
  std::string bytes(700'000, '\0');
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i * 31 + i / 251);
  const auto file = value_of(sources.put(fresh("big"), bytes));
  EXPECT_EQ(read_to_end(sources, file.file_id, 65'536), bytes);
  const auto empty = value_of(sources.put(fresh("empty"), ""));
  EXPECT_EQ(read_to_end(sources, empty.file_id, 10), "");
}

TEST(RepositorySources, that_are_not_there_are_not_found) {
  for (const std::string id : {"0123456789abcdef01234567", "no object id"}) {
    const auto reader = repository_under_test().sources().open(id);
    ASSERT_FALSE(reader);
    EXPECT_EQ(reader.error().kind, ErrorKind::kNotFound);
  }
}

TEST(Repository, answers_a_ping) {
  EXPECT_TRUE(repository_under_test().ping(std::chrono::seconds(2)));
}

}  // namespace
}  // namespace slipway::tests
