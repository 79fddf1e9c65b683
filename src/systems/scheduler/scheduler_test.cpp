#include "systems/scheduler/scheduler.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "messages/machine_sample.hpp"
#include "messages/placement.hpp"
#include "tests/fakes/fake_bus.hpp"
#include "tests/fakes/fake_repository.hpp"

namespace slipway::scheduler {
namespace {

using messages::MachineState;
using testing::HasSubstr;

class SchedulerTest : public testing::Test {
 protected:
  SchedulerTest() { EXPECT_TRUE(bus_.ensure_topics(topics_.all())); }

  void start(std::chrono::seconds patience = std::chrono::seconds{20}) {
    scheduler_ = std::make_unique<Scheduler>(bus_, repository_, clock_, Log::silent(), topics_,
                                             SchedulerSettings{.patience = patience});
  }
  void registered(const std::string& name) {
    messages::Machine machine;
    machine.name = name;
    machine.registered_at = clock_.now();
    ASSERT_TRUE(bus_.publish({.topic = topics_.machine_registry, .key = name, .value = to_json(machine)}));
  }
  void is(const std::string& name, MachineState state) {
    messages::MachineStateReport report;
    report.machine = name;
    report.state = state;
    report.since = clock_.now();
    ASSERT_TRUE(bus_.publish({.topic = topics_.machine_state, .key = name, .value = to_json(report)}));
  }
  void sample(const std::string& name, double cpu) {
    messages::MachineSample sample;
    sample.machine = name;
    sample.boot_id = "b";
    sample.seq = 1;
    sample.t = to_ms(clock_.now());
    sample.cpu.used = cpu;
    sample.mem = {100, 50, 0, 0};
    std::string text;
    append_json(sample, text);
    ASSERT_TRUE(bus_.publish({.topic = topics_.machine_stats, .key = name, .value = text}));
  }
  messages::PlacementReply ask(const std::string& json, std::size_t count = 1) {
    bus_.put_plain(topics_.placement_requests, json);
    return reply(count);
  }
  messages::PlacementReply reply(std::size_t count) {
    const auto records = bus_.wait_for_count(topics_.placement_replies, count);
    if (records.size() < count) {
      ADD_FAILURE() << "only " << records.size() << " replies";
      return {};
    }
    return messages::parse_placement_reply(*records[count - 1].value).value();
  }

  const messages::Topics topics_{"test."};
  SystemClock clock_;
  fakes::FakeBus bus_;
  fakes::FakeRepository repository_;
  std::unique_ptr<Scheduler> scheduler_;
};

constexpr const char* kAsk = R"({"request_id": "r-1", "service_id": "hello", "correlation_id": "r-1:1"})";

TEST_F(SchedulerTest, names_a_machine_that_is_up_and_why) {
  registered("edge-1");
  registered("edge-2");
  is("edge-1", MachineState::kDown);
  is("edge-2", MachineState::kUp);
  start();
  const auto reply = ask(kAsk);
  EXPECT_EQ(reply.machine, "edge-2");
  EXPECT_THAT(reply.reason, HasSubstr("the only one"));
  EXPECT_THAT(reply.refused.at("edge-1"), HasSubstr("down"));
  EXPECT_EQ(reply.correlation_id, "r-1:1");
  EXPECT_FALSE(reply.error);
  const auto stored = repository_.placements().find("r-1").value();
  ASSERT_TRUE(stored);
  EXPECT_EQ(stored->machine, "edge-2");
}

TEST_F(SchedulerTest, weighs_measured_load_and_services) {
  for (const char* name : {"edge-1", "edge-2"}) {
    registered(name);
    is(name, MachineState::kUp);
  }
  ASSERT_TRUE(repository_.instances().put({.service_id = "other", .machine = "edge-1", .state = "running"}));
  start();
  EXPECT_EQ(ask(kAsk).machine, "edge-2");  // neither is measured, edge-1 has a service
  // Samples come every second and by another way than the question: ask until they have arrived.
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  messages::PlacementReply reply;
  const auto measured = [&] { return reply.reason.find("processor 5 %") != std::string::npos; };
  for (std::size_t i = 2; !measured() && std::chrono::steady_clock::now() < deadline; ++i) {
    sample("edge-2", 95);
    sample("edge-1", 5);
    reply = ask(R"({"service_id": "hello"})", i);
  }
  EXPECT_EQ(reply.machine, "edge-1") << reply.reason;
  EXPECT_THAT(reply.reason, HasSubstr("processor 5 %, memory 50 %, 1 service"));
}

TEST_F(SchedulerTest, answers_the_same_question_the_same_way_even_under_a_later_epoch) {
  for (const char* name : {"edge-1", "edge-2"}) {
    registered(name);
    is(name, MachineState::kUp);
  }
  start();
  const auto first = ask(kAsk);
  ASSERT_TRUE(repository_.instances().put({.service_id = "x", .machine = first.machine, .state = "running"}));
  EXPECT_EQ(to_json(ask(kAsk, 2)), to_json(first));
  const auto later = ask(R"({"request_id": "r-1", "service_id": "hello", "correlation_id": "r-1:2"})", 3);
  EXPECT_EQ(later.machine, first.machine);
  EXPECT_EQ(later.correlation_id, "r-1:2");
}

TEST_F(SchedulerTest, waits_a_little_for_the_first_state_of_a_new_machine) {
  registered("edge-1");
  start();
  bus_.put_plain(topics_.placement_requests, kAsk);
  EXPECT_FALSE(bus_.wait_for(
      topics_.placement_replies, [](const auto& all) { return !all.empty(); }, milliseconds{100}));
  is("edge-1", MachineState::kUp);
  EXPECT_EQ(reply(1).machine, "edge-1");
}

TEST_F(SchedulerTest, says_that_there_is_none) {
  registered("edge-1");
  start(std::chrono::seconds{0});
  const auto reply = ask(kAsk);
  EXPECT_TRUE(reply.machine.empty());
  ASSERT_TRUE(reply.error);
  EXPECT_EQ(reply.error->code, "placement.none");
  EXPECT_THAT(reply.error->message, HasSubstr("edge-1"));
}

TEST_F(SchedulerTest, forgets_removed_machines) {
  registered("edge-1");
  is("edge-1", MachineState::kUp);
  ASSERT_TRUE(bus_.publish({.topic = topics_.machine_registry, .key = "edge-1", .value = std::nullopt}));
  start();
  EXPECT_THAT(ask(kAsk).error->message, HasSubstr("no machine is registered"));
}

TEST_F(SchedulerTest, refuses_a_request_without_a_service) {
  start();
  EXPECT_EQ(ask(R"({"request_id": "r-1"})").error->code, "request.invalid");
}

TEST_F(SchedulerTest, waits_for_a_new_machine_that_is_said_to_be_unknown) {
  registered("edge-1");
  is("edge-1", MachineState::kUnknown);
  start();
  bus_.put_plain(topics_.placement_requests, kAsk);
  EXPECT_FALSE(bus_.wait_for(
      topics_.placement_replies, [](const auto& all) { return !all.empty(); }, milliseconds{100}));
  is("edge-1", MachineState::kUp);
  EXPECT_EQ(reply(1).machine, "edge-1");
}

TEST_F(SchedulerTest, does_not_count_the_agent_as_a_service) {
  registered("edge-1");
  is("edge-1", MachineState::kUp);
  ASSERT_TRUE(
      repository_.instances().put({.service_id = "slipway-agent", .machine = "edge-1", .state = "running"}));
  start();
  EXPECT_THAT(ask(kAsk).reason, HasSubstr("0 services"));
}

TEST_F(SchedulerTest, counts_what_it_sent_to_a_machine_before_it_runs_there) {
  for (const char* name : {"edge-1", "edge-2"}) {
    registered(name);
    is(name, MachineState::kUp);
  }
  start();
  EXPECT_EQ(ask(R"({"request_id": "r-1", "service_id": "one"})").machine, "edge-1");
  EXPECT_EQ(ask(R"({"request_id": "r-2", "service_id": "two"})", 2).machine, "edge-2");
  EXPECT_EQ(ask(R"({"request_id": "r-3", "service_id": "one"})", 3).machine, "edge-1");  // not against itself
}

TEST_F(SchedulerTest, one_of_two_answers_and_the_other_takes_its_place) {
  registered("edge-1");
  is("edge-1", MachineState::kUp);
  start();
  EXPECT_EQ(ask(kAsk).machine, "edge-1");  // it holds the lease
  const Scheduler second(bus_, repository_, clock_, Log::silent(), topics_);
  EXPECT_EQ(ask(R"({"service_id": "two"})", 2).machine, "edge-1");
  EXPECT_EQ(bus_.group_members("test.scheduler").value(), 1);
  scheduler_.reset();
  EXPECT_EQ(ask(R"({"service_id": "three"})", 3).machine, "edge-1");
}

TEST_F(SchedulerTest, who_does_not_hold_the_lease_stays_out_of_the_group) {
  ASSERT_TRUE(repository_.leases().take("scheduler", "somebody else", std::nullopt).value());
  start();
  bus_.put_plain(topics_.placement_requests, kAsk);
  EXPECT_FALSE(bus_.wait_for(
      topics_.placement_replies, [](const auto& all) { return !all.empty(); }, milliseconds{300}));
  EXPECT_EQ(bus_.group_members("test.scheduler").value(), 0);
}

TEST(SchedulerOfAnEarlierTime, does_not_wait_for_a_question_of_the_future_to_grow_old) {
  SystemClock clock;
  ManualClock ahead(clock.now() + std::chrono::hours{1});
  fakes::FakeBus bus(ahead);
  fakes::FakeRepository repository;
  const messages::Topics topics("test.");
  ASSERT_TRUE(bus.ensure_topics(topics.all()));
  messages::Machine machine;
  machine.name = "edge-1";
  machine.registered_at = clock.now();
  ASSERT_TRUE(bus.publish({.topic = topics.machine_registry, .key = "edge-1", .value = to_json(machine)}));
  const Scheduler scheduler(bus, repository, clock, Log::silent(), topics,
                            {.patience = std::chrono::seconds{0}});
  bus.put_plain(topics.placement_requests, kAsk);
  const auto replies = bus.wait_for_count(topics.placement_replies, 1);
  ASSERT_EQ(replies.size(), 1U);
  EXPECT_EQ(messages::parse_placement_reply(*replies[0].value).value().error->code, "placement.none");
}

}  // namespace
}  // namespace slipway::scheduler
