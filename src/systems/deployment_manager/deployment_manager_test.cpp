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

TEST_F(Deploying, M26_a_port_of_another_service_is_refused_before_anything_is_touched) {
  const std::string rest = "runtime: python@3.11\ncommand: x\nports: [8080]\nupdate: {healthy_for: 100ms}\n";
  ASSERT_TRUE(
      repository_.sources().put("till/1", fakes::make_tar({{"service.yaml", "name: till\n" + rest}})));
  const auto till = [&](const std::string& id, const std::string& fields) {
    bus_.put_plain(topics_.deployment_requests,
                   R"({"request_id":")" + id + R"(","service_id":"till",)" + fields + "}");
    return wait_end(id).state;
  };
  ASSERT_EQ(till("r-till", R"("path":"till/1","machine":"edge-1")"), State::kSucceeded);
  put_source("name: shop\n" + rest, "x");
  engine().forget_calls();
  const auto end = wait_end(ask_deploy());
  ASSERT_EQ(end.state, State::kRejected);
  EXPECT_EQ(end.error->code, "meta.port_conflict");
  EXPECT_EQ(end.error->where, "service.yaml:4:1");
  EXPECT_NE(end.error->message.find("the service till"), std::string::npos) << end.error->message;
  EXPECT_EQ(engine().count("build") + engine().count("create"), 0U);
  ASSERT_EQ(till("r-stop", R"("action":"stop")"), State::kSucceeded);
  EXPECT_EQ(wait_end(ask_deploy()).state, State::kSucceeded);
  EXPECT_EQ(wait_end(ask(R"("action":"restart")")).state, State::kSucceeded);  // its own port is no conflict
}

TEST_F(Deploying, M25_the_port_of_the_machines_engine_is_refused) {
  (void)engines_.at("tcp://10.0.0.9:4243");  // there is one
  ASSERT_TRUE(repository_.machines().put({{.name = "edge-2", .docker = "tcp://10.0.0.9:4243"}}));
  put_source("name: shop\nruntime: python@3.11\ncommand: x\nports: [\"4243:80\"]\n", "x");
  const auto end = wait_end(ask(R"("path":"shop/1","machine":"edge-2")"));
  EXPECT_EQ(end.state, State::kRejected);
  EXPECT_EQ(end.error->code, "meta.port_forbidden");
  EXPECT_EQ(end.error->where, "service.yaml:4:1");
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

TEST_F(Deploying, secrets_are_files_and_a_changed_one_is_another_release) {
  const std::string meta = std::string(kMeta) + "secrets: [PASSWORD, {name: PASSWORD, target: copy}]\n";
  put_source(meta, "print(1)");
  set_secret("PASSWORD", "correct horse", "v-1");
  EXPECT_EQ(wait_end(ask_deploy()).release, 1);
  wait_free();
  const auto files = engine().files_of("shop-1-1");
  EXPECT_EQ(files.at("/run/secrets/PASSWORD"), "correct horse");
  EXPECT_EQ(files.at("/run/secrets/copy"), "correct horse");
  const auto spec = engine().spec_of("shop-1-1");
  ASSERT_TRUE(spec);
  for (const auto& [key, value] : spec->env) EXPECT_FALSE(value.contains("correct")) << key;
  EXPECT_TRUE(wait_end(ask_deploy()).unchanged);

  set_secret("PASSWORD", "battery staple", "v-2");
  EXPECT_EQ(wait_end(ask(R"("action":"restart")")).release, 1) << "a restart keeps what it was given";
  EXPECT_EQ(engine().files_of("shop-1-1").at("/run/secrets/PASSWORD"), "correct horse");
  EXPECT_EQ(wait_end(ask_deploy()).release, 2);
  wait_free();
  EXPECT_EQ(engine().files_of("shop-2-1").at("/run/secrets/PASSWORD"), "battery staple");
  const auto release = *repository_.releases().find("shop@000002");
  ASSERT_TRUE(release);
  EXPECT_EQ(release->secrets, (std::map<std::string, std::string>{{"PASSWORD", "v-2"}}));

  EXPECT_TRUE(engine().remove(container("shop-2-1")->id, true));
  ASSERT_TRUE(wait_until([&] { return container("shop-2-1") && container("shop-2-1")->running; }));
  EXPECT_EQ(engine().files_of("shop-2-1").at("/run/secrets/PASSWORD"), "battery staple") << "healed with it";
}

TEST_F(Deploying, a_missing_secret_is_refused_before_anything_is_touched) {
  wait_end(ask_deploy());
  wait_free();
  engine().forget_calls();
  put_source(std::string(kMeta) + "secrets: [ONE, TWO]\n", "print(2)");
  set_secret("ONE", "x", "v-1");
  auto end = wait_end(ask_deploy());
  ASSERT_TRUE(end.error);
  EXPECT_EQ(end.state, State::kRejected);
  EXPECT_EQ(end.error->code, "secret.missing");
  EXPECT_EQ(end.error->message.find("ONE"), std::string::npos);
  EXPECT_NE(end.error->message.find("TWO"), std::string::npos);
  EXPECT_FALSE(end.error->hint.empty());
  EXPECT_EQ(end.serving, 1);

  // Sealed by somebody else's key, or moved from another name: said, never delivered.
  auto foreign = **repository_.secrets().find("ONE");
  foreign.name = "TWO";
  EXPECT_TRUE(repository_.secrets().put(foreign));
  EXPECT_EQ(wait_end(ask_deploy()).error->code, "secret.sealed");
  foreign.key_id = "0123456789abcdef";
  EXPECT_TRUE(repository_.secrets().put(foreign));
  EXPECT_EQ(wait_end(ask_deploy()).error->code, "secret.key");
  EXPECT_EQ(engine().count("build"), 0U);
  EXPECT_EQ(engine().count("create"), 0U);
  EXPECT_TRUE(container("shop-1-1")->running);
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
