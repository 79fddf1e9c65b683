#include "systems/deployment_manager/deployment_manager.hpp"

#include <gtest/gtest.h>

#include "systems/deployment_manager/agent_keeper.hpp"
#include "systems/deployment_manager/names.hpp"
#include "tests/fakes/deployment_world.hpp"

namespace slipway::deployment_manager {
namespace {

TEST_F(Deploying, runs_every_stage_in_order_to_a_hardened_container) {
  const auto end = wait_end(ask_deploy());
  EXPECT_EQ(end.state, State::kSucceeded) << end.message;
  EXPECT_EQ(end.release, 1);
  EXPECT_EQ(end.serving, 1);
  std::vector<Stage> done;
  for (const auto& status : statuses(end.request_id))
    if (status.state == State::kSucceeded) done.push_back(status.stage);
  EXPECT_EQ(done, (std::vector{Stage::kAccepted, Stage::kFetched, Stage::kValidated, Stage::kBuilt,
                               Stage::kAgentReady, Stage::kBound, Stage::kStarted, Stage::kHealthy,
                               Stage::kFlowing, Stage::kDone}));
  const auto spec = engine().spec_of("shop-1-1");
  ASSERT_TRUE(spec);
  EXPECT_EQ(spec->user, "65532:65532");
  EXPECT_EQ(spec->memory, 256LL << 20);
  EXPECT_EQ(spec->pids, 256);
  EXPECT_EQ(spec->restart, "no");
  EXPECT_EQ(container("shop-1-1")->restart, "always");
  EXPECT_TRUE(engine().files_of("shop-1-1").contains("/run/slipway/kafka.properties"));
}

TEST_F(Deploying, the_same_request_again_changes_nothing_and_says_the_end_again) {
  const auto id = ask_deploy();
  wait_end(id);
  const auto said = bus_.records(topics_.deployment_status).size();
  const auto creates = engine().count("create");
  bus_.put_plain(topics_.deployment_requests,
                 R"({"request_id":")" + id + R"(","service_id":"shop","path":"shop/1","machine":"edge-1"})");
  ASSERT_TRUE(bus_.wait_for(topics_.deployment_status, [&](const auto& all) { return all.size() > said; }));
  EXPECT_EQ(messages::parse_deployment_status(*bus_.records(topics_.deployment_status).back().value)->state,
            State::kSucceeded);
  EXPECT_EQ(engine().count("create"), creates);
}

TEST_F(Deploying, the_same_id_with_another_content_is_a_conflict) {
  const auto id = ask_deploy();
  wait_end(id);
  bus_.put_plain(topics_.deployment_requests,
                 R"({"request_id":")" + id + R"(","service_id":"shop","path":"shop/2","machine":"edge-1"})");
  EXPECT_EQ(bus_.wait_for_count(topics_.deadletter, 1).size(), 1U);
}

TEST_F(Deploying, unchanged_source_touches_nothing) {
  wait_end(ask_deploy());
  const auto before = *container("shop-1-1");
  engine().forget_calls();
  const auto end = wait_end(ask_deploy());
  EXPECT_EQ(end.state, State::kSucceeded);
  EXPECT_TRUE(end.unchanged);
  EXPECT_EQ(end.release, 1);
  EXPECT_EQ(container("shop-1-1")->started_at, before.started_at);
  EXPECT_EQ(engine().count("create"), 0U);
  EXPECT_EQ(engine().count("build"), 0U);
}

TEST_F(Deploying, a_first_release_that_dies_leaves_nothing_but_its_failure_package) {
  engine().script([](const ports::ContainerSpec& spec) {
    fakes::ContainerScript script;
    if (spec.name == "shop-1-1") script.dies_at_start = 3;
    script.logs = {"starting", "boom"};
    return script;
  });
  const auto end = wait_end(ask_deploy());
  EXPECT_EQ(end.state, State::kFailed);
  EXPECT_EQ(end.error->code, "service.died");
  ASSERT_FALSE(end.error->last_logs.empty()) << to_string(*end.error) << messages::to_json(end);
  EXPECT_EQ(end.error->last_logs.back(), "boom");
  EXPECT_FALSE(end.serving);
  wait_free();
  EXPECT_FALSE(container("shop-1-1"));
  const auto failure = *repository_.failures().find(end.request_id);
  ASSERT_TRUE(failure);
  EXPECT_EQ(failure->exit_code, 3);
}

TEST_F(Deploying, after_a_failure_the_exact_old_container_serves) {
  wait_end(ask_deploy());
  const auto old_id = container("shop-1-1")->id;
  engine().script([](const ports::ContainerSpec& spec) {
    fakes::ContainerScript script;
    if (spec.name == "shop-2-1") script.dies_after_exec = 9;
    return script;
  });
  put_source(std::string(kMeta), "print(2)");
  const auto end = wait_end(ask_deploy());
  EXPECT_EQ(end.state, State::kFailed) << end.message;
  EXPECT_EQ(end.serving, 1);
  wait_free();
  EXPECT_FALSE(container("shop-2-1"));
  ASSERT_TRUE(container("shop-1-1"));
  EXPECT_EQ(container("shop-1-1")->id, old_id);
  EXPECT_TRUE(container("shop-1-1")->running);
  EXPECT_EQ(container("shop-1-1")->restart, "always");
}

TEST_F(Deploying, a_service_that_is_killed_from_outside_is_started_once_more) {
  engine().script([](const ports::ContainerSpec& spec) {
    fakes::ContainerScript script;
    if (spec.name == "shop-1-1") script.dies_after_exec = 137;  // the first time
    return script;
  });
  EXPECT_EQ(wait_end(ask_deploy()).state, State::kSucceeded);
  EXPECT_EQ(std::ranges::count(engine().calls(), "start shop-1-1"), 2);
}

TEST_F(Deploying, a_service_that_is_always_killed_from_outside_fails) {
  engine().script([](const ports::ContainerSpec& spec) {
    fakes::ContainerScript script;
    if (spec.name == "shop-1-1") script.dies_at_start = 137;
    return script;
  });
  const auto end = wait_end(ask_deploy());
  EXPECT_EQ(end.state, State::kFailed);
  EXPECT_EQ(end.error->code, "service.killed");
  EXPECT_EQ(std::ranges::count(engine().calls(), "start shop-1-1"), 2);
}

TEST_F(Deploying, a_machine_that_is_unregistered_meanwhile_ends_the_deployment_and_frees_the_lane) {
  engine().hold_builds(true);
  const auto id = ask_deploy();
  ASSERT_TRUE(wait_until([&] { return engine().count("build") == 1; }));
  manager_.reset();
  ASSERT_TRUE(repository_.machines().remove("edge-1"));
  engine().hold_builds(false);
  start();
  const auto end = wait_end(id);
  EXPECT_EQ(end.error->code, "machine.unknown");
  wait_free();
}

TEST_F(Deploying, a_new_release_replaces_the_old_and_rollback_makes_a_third_like_the_first) {
  wait_end(ask_deploy());
  put_source(std::string(kMeta), "print(2)");
  EXPECT_EQ(wait_end(ask_deploy()).release, 2);
  wait_free();
  EXPECT_FALSE(container("shop-1-1"));
  engine().forget_calls();
  const auto end = wait_end(ask(R"("action":"rollback")"));
  EXPECT_EQ(end.state, State::kSucceeded) << end.message;
  EXPECT_EQ(end.release, 3);
  EXPECT_EQ(engine().count("build"), 0U);
  wait_free();
  EXPECT_EQ((*repository_.releases().find("shop@000003"))->key,
            (*repository_.releases().find("shop@000001"))->key);
  EXPECT_FALSE(container("shop-2-1"));
}

TEST_F(Deploying, stop_start_restart_and_remove_keep_the_release_number) {
  wait_end(ask_deploy());
  EXPECT_EQ(wait_end(ask(R"("action":"stop")")).state, State::kSucceeded);
  EXPECT_FALSE(container("shop-1-1")->running);
  const auto started = wait_end(ask(R"("action":"start")"));
  EXPECT_EQ(started.state, State::kSucceeded) << started.message;
  EXPECT_EQ(started.release, 1);
  EXPECT_TRUE(container("shop-1-1")->running);
  const auto before = container("shop-1-1")->started_at;
  EXPECT_EQ(wait_end(ask(R"("action":"restart")")).state, State::kSucceeded);
  EXPECT_NE(container("shop-1-1")->started_at, before);
  EXPECT_EQ(wait_end(ask(R"("action":"remove")")).state, State::kSucceeded);
  EXPECT_FALSE(container("shop-1-1"));
}

TEST_F(Deploying, a_bad_meta_file_is_refused_with_its_place_before_anything_is_touched) {
  put_source("name: shop\nruntime: python@3.11\ncommand: x\nprots: [80]\n", "x");
  engine().forget_calls();
  const auto end = wait_end(ask_deploy());
  EXPECT_EQ(end.state, State::kRejected);
  EXPECT_EQ(end.error->where.substr(0, 14), "service.yaml:4");
  EXPECT_EQ(engine().count("build"), 0U);
}

TEST_F(Deploying, a_cancelled_build_ends_cancelled_and_runs_nothing) {
  engine().hold_builds(true);
  const auto id = ask_deploy();
  ASSERT_TRUE(wait_until([&] { return engine().count("build") == 1; }));
  const auto cancel = ask(R"("action":"cancel","cancels":")" + id + R"(")");
  EXPECT_EQ(wait_end(cancel).state, State::kSucceeded);
  EXPECT_EQ(wait_end(id).state, State::kCancelled);
  EXPECT_FALSE(container("shop-1-1"));
  EXPECT_EQ(wait_end(ask(R"("action":"cancel","cancels":")" + id + R"(")")).state, State::kSucceeded);
}

TEST_F(Deploying, cancel_after_the_end_is_too_late_and_before_the_request_a_tombstone) {
  const auto id = ask_deploy();
  wait_end(id);
  const auto late = wait_end(ask(R"("action":"cancel","cancels":")" + id + R"(")"));
  EXPECT_EQ(late.state, State::kRejected);
  EXPECT_EQ(late.error->code, "cancel.too_late");
  wait_end(ask(R"("action":"cancel","cancels":"r-future")"));
  bus_.put_plain(topics_.deployment_requests,
                 R"({"request_id":"r-future","service_id":"shop","path":"shop/1","machine":"edge-1"})");
  EXPECT_EQ(wait_end("r-future").state, State::kCancelled);
}

TEST_F(Deploying, a_manager_that_comes_back_goes_on_where_it_was) {
  engine().hold_builds(true);
  const auto id = ask_deploy();
  ASSERT_TRUE(wait_until([&] { return engine().count("build") == 1; }));
  manager_.reset();
  EXPECT_TRUE(statuses(id).empty() || !statuses(id).back().final);
  engine().hold_builds(false);
  start();
  EXPECT_EQ(wait_end(id).state, State::kSucceeded);
  const auto calls = engine().calls();
  EXPECT_EQ(std::ranges::count(calls, "create shop-1-1"), 1);
}

TEST_F(Deploying, a_waiting_request_overtaken_by_a_newer_one_runs_nothing) {
  engine().hold_builds(true);
  const auto first = ask_deploy();
  ASSERT_TRUE(wait_until([&] { return engine().count("build") == 1; }));
  const auto second = ask_deploy();
  const auto third = ask_deploy();
  ASSERT_TRUE(wait_until([&] { return (*repository_.lanes().find("shop"))->queue.size() == 2; }));
  engine().hold_builds(false);
  EXPECT_EQ(wait_end(first).state, State::kSucceeded);
  EXPECT_EQ(wait_end(second).state, State::kSuperseded);
  EXPECT_EQ(wait_end(third).state, State::kSucceeded);
}

TEST_F(Deploying, a_run_once_service_completes_with_its_last_lines) {
  put_source("name: shop\nruntime: python@3.11\ncommand: python main.py\nrestart: never\n", "x");
  engine().script([](const ports::ContainerSpec& spec) {
    fakes::ContainerScript script;
    if (spec.name.starts_with("shop")) script.dies_at_start = 0;
    script.logs = {"42"};
    return script;
  });
  const auto end = wait_end(ask_deploy());
  EXPECT_EQ(end.state, State::kCompleted) << end.message;
  EXPECT_NE(end.message.find("42"), std::string::npos);
  wait_free();
  EXPECT_EQ((*repository_.lanes().find("shop"))->wanted, ports::Wanted::kCompleted);
  EXPECT_EQ(wait_end(ask_deploy()).state, State::kCompleted);
}

TEST_F(Deploying, drift_heals_and_foreign_containers_are_left_alone) {
  wait_end(ask_deploy());
  wait_free();
  const auto foreign = engine().add_container({.name = "database", .state = "running", .running = true});
  const auto old = container("shop-1-1")->id;
  EXPECT_TRUE(engine().remove(old, true));
  ASSERT_TRUE(wait_until([&] { return container("shop-1-1") && container("shop-1-1")->running; }));
  EXPECT_NE(container("shop-1-1")->id, old);
  EXPECT_TRUE(engine().remove("slipway-agent", true));
  EXPECT_TRUE(wait_until([&] { return container("slipway-agent") && container("slipway-agent")->running; }));
  EXPECT_TRUE(container(foreign));
}

TEST_F(Deploying, what_is_no_request_goes_to_the_dead_letters) {
  bus_.put_plain(topics_.deployment_requests, "{\"service_id\":");
  EXPECT_EQ(bus_.wait_for_count(topics_.deadletter, 1).size(), 1U);
}

TEST(Versions, compare_by_number) {
  EXPECT_LT(compare_versions("0.9.0", "0.10.0"), 0);
  EXPECT_EQ(compare_versions("1.0", "1.0.0"), 0);
  EXPECT_GT(compare_versions("2.0.0", "1.9.9"), 0);
}

TEST(Names, carry_the_instance_where_it_is_not_the_default) {
  EXPECT_EQ(container_name("default", "shop", 7, 1), "shop-7-1");
  EXPECT_EQ(container_name("dev", "shop", 7, 1), "dev.shop-7-1");
  EXPECT_EQ(release_of({{"slipway.release", "7"}}), 7);
  EXPECT_FALSE(release_of({{"slipway.release", "7x"}}));
}

}  // namespace
}  // namespace slipway::deployment_manager
