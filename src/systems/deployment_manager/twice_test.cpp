#include <gtest/gtest.h>

#include "tests/fakes/deployment_world.hpp"

// Twice is once, and a peer that is away for a while changes nothing.
namespace slipway::deployment_manager {
namespace {

class Twice : public Deploying {
 protected:
  std::size_t said(const std::string& id, bool only_final) {
    std::size_t count = 0;
    for (const auto& record : bus_.records(topics_.deployment_status)) {
      const auto status = messages::parse_deployment_status(*record.value);
      if (status && status->request_id == id && (status->final || !only_final)) ++count;
    }
    return count;
  }
  void replay_all_requests() {
    std::map<ports::TopicPartition, std::int64_t> beginning;
    const std::vector<std::string> topics{topics_.deployment_requests};
    const auto counts = bus_.partition_counts(topics);
    ASSERT_TRUE(counts);
    for (int i = 0; i < counts->at(topics.front()); ++i) beginning[{topics.front(), i}] = 0;
    ASSERT_TRUE(bus_.commit_for(topics_.group("deployment_manager"), beginning));
  }
};

TEST_F(Twice, the_same_line_ten_times_to_two_deployers_is_one_container_and_one_end) {
  const auto other = make("dm-2");
  const std::string line = R"({"request_id":"r-ten","service_id":"shop","path":"shop/1","machine":"edge-1"})";
  for (int i = 0; i < 10; ++i) bus_.put_plain(topics_.deployment_requests, line);
  EXPECT_EQ(wait_end("r-ten").state, State::kSucceeded);
  wait_free();
  EXPECT_EQ(std::ranges::count(engine().calls(), "create shop-1-1"), 1);
  EXPECT_EQ((*repository_.lanes().find("shop"))->last_release, 1);
  // Each of the ten is answered, always with the same end.
  std::set<std::string> ends;
  for (const auto& record : bus_.records(topics_.deployment_status)) {
    const auto status = messages::parse_deployment_status(*record.value);
    if (status->request_id == "r-ten" && status->final) ends.insert(*record.value);
  }
  EXPECT_EQ(ends.size(), 1U);
  EXPECT_TRUE(bus_.records(topics_.deadletter).empty());
}

// FAULTS F07, F11
TEST_F(Twice, F07_the_whole_request_topic_again_from_its_beginning_creates_nothing) {
  std::vector<std::string> ids{ask_deploy()};
  wait_end(ids.back());
  put_source(std::string(kMeta), "print(2)");
  ids.push_back(ask_deploy());
  wait_end(ids.back());
  ids.push_back(ask(R"("action":"rollback")"));
  wait_end(ids.back());
  ids.push_back(ask(R"("action":"cancel","cancels":")" + ids.front() + R"(")"));
  wait_end(ids.back());
  wait_free();
  const auto before = *container("shop-3-1");
  manager_.reset();
  engine().forget_calls();
  std::map<std::string, std::size_t> ends;
  for (const auto& id : ids) ends[id] = said(id, true);
  replay_all_requests();
  start();
  for (const auto& id : ids)
    EXPECT_TRUE(wait_until([&] { return said(id, true) == ends[id] + 1; }))
        << id << " was not answered again";
  wait_free();
  EXPECT_EQ(engine().count("create"), 0U);
  EXPECT_EQ(engine().count("start"), 0U);
  EXPECT_EQ(container("shop-3-1")->started_at, before.started_at);
  for (const auto& id : ids) wait_end(id);  // still one story each
}

class Away : public Twice {
 protected:
  // The second release, so that the agent is there.
  std::string ask_and_hold_build() {
    EXPECT_EQ(wait_end(ask_deploy()).state, State::kSucceeded);
    engine().hold_builds(true);
    put_source(std::string(kMeta) + "topics: [shop.out]\n", "print(2)");
    const auto id = ask_deploy();
    EXPECT_TRUE(wait_until([&] { return engine().count("build") == 2; }));
    return id;
  }
};

TEST_F(Away, kafka_is_waited_for_and_it_says_so) {
  const auto id = ask_and_hold_build();
  bus_.set_down(true);
  engine().hold_builds(false);
  ASSERT_TRUE(wait_until([&] {
    const auto stored = repository_.deployments().find(id);
    return std::ranges::any_of((*stored)->stages, [](const auto& status) {
      return status.stage == Stage::kBound && status.state == State::kWaiting;
    });
  }));
  bus_.set_down(false);
  EXPECT_EQ(wait_end(id).state, State::kSucceeded);
  EXPECT_EQ(std::ranges::count(engine().calls(), "create shop-2-1"), 1);
}

TEST_F(Away, the_repository_is_waited_for) {
  const auto id = ask_and_hold_build();
  repository_.set_down(true);
  engine().hold_builds(false);
  const int refused = repository_.refused();
  ASSERT_TRUE(wait_until([&] { return repository_.refused() > refused + 20; }));
  repository_.set_down(false);
  EXPECT_EQ(wait_end(id).state, State::kSucceeded);
  EXPECT_EQ(std::ranges::count(engine().calls(), "create shop-2-1"), 1);
}

TEST_F(Away, what_cannot_be_read_once_is_read_again_at_each_stage) {
  for (int i = 0; i < 3; ++i)
    repository_.fail_next(unavailable("repository.unavailable", "gone"), 1, "machines");
  repository_.fail_next(unavailable("repository.unavailable", "gone"), 2, "releases");
  EXPECT_EQ(wait_end(ask_deploy()).state, State::kSucceeded);
}

TEST_F(Away, an_engine_that_is_away_for_a_moment_is_asked_again) {
  engine().fail_next("build", fakes::unreachable());
  engine().fail_next("set_restart_policy", fakes::unreachable());
  EXPECT_EQ(wait_end(ask_deploy()).state, State::kSucceeded);
  EXPECT_EQ(std::ranges::count(engine().calls(), "create shop-1-1"), 1);
}

TEST_F(Deploying, one_machine_that_does_not_come_forward_uses_four_places_and_another_goes_on) {
  auto& second = engines_.at("tcp://10.0.0.2:2375");
  second.add_image({.id = "sha256:base", .tags = {"base:1"}});
  second.add_image({.id = "sha256:agent", .tags = {"slipway/agent:1"}});
  ASSERT_TRUE(repository_.machines().put({{.name = "edge-2", .docker = "tcp://10.0.0.2:2375"}}));
  engine().hold_builds(true);
  const auto ask_for = [&](const std::string& service, const std::string& machine) {
    const std::string meta = "name: " + service + "\nruntime: python@3.11\ncommand: python main.py\n";
    const auto tar = fakes::make_tar({{"service.yaml", meta}, {"main.py", service}});
    EXPECT_TRUE(repository_.sources().put(service, tar));
    bus_.put_plain(topics_.deployment_requests, R"({"request_id":")" + service + R"(","service_id":")" +
                                                    service + R"(","path":")" + service + R"(","machine":")" +
                                                    machine + R"("})");
  };
  for (const char* service : {"a1", "a2", "a3", "a4", "a5", "a6"}) ask_for(service, "edge-1");
  ASSERT_TRUE(wait_until([&] { return engine().count("build") == 4; }));
  ask_for("b1", "edge-2");
  EXPECT_TRUE(wait_until([&] { return second.count("build") == 1; }));
  EXPECT_EQ(engine().count("build"), 4U);
  engine().hold_builds(false);
  for (const char* service : {"a1", "a2", "a3", "a4", "a5", "a6"})
    EXPECT_EQ(wait_end(service).state, State::kSucceeded);
}

}  // namespace
}  // namespace slipway::deployment_manager
