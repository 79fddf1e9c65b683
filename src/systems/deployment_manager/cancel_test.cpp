#include <gtest/gtest.h>

#include "messages/machine.hpp"
#include "messages/sensor.hpp"
#include "ports/request_loop.hpp"
#include "tests/fakes/held_deployment.hpp"

// RELIABILITY, Cancel: whenever it comes, exactly one of "cancelled" and "too late", and the world matches
// it.
namespace slipway::deployment_manager {
namespace {

class Cancelling : public Deploying {
 protected:
  // A request that was stored, and then its deployer died.
  void leave_behind(const std::string& id, const std::string& action, WallTime created_at) {
    const auto parsed = messages::parse_deployment_request(
        R"({"request_id":")" + id + R"(","service_id":"shop",)" + action + "}", std::nullopt, {});
    ASSERT_TRUE(parsed);
    ports::Deployment deployment;
    deployment.request_id = id;
    deployment.service_id = "shop";
    deployment.request = parsed->request;
    deployment.created_at = created_at;
    ASSERT_TRUE(*repository_.deployments().insert(deployment));
  }
  void leave_behind(const std::string& id, const std::string& action) {
    leave_behind(id, action, clock_.now());
  }
};

constexpr std::string_view kDeploy = R"("path":"shop/1","machine":"edge-1")";

TEST_F(Cancelling, a_waiting_request_runs_nothing_and_leaves_the_queue) {
  engine().hold_builds(true);
  const auto first = ask_deploy();
  ASSERT_TRUE(wait_until([&] { return engine().count("build") == 1; }));
  const auto second = ask_deploy();
  ASSERT_TRUE(wait_until([&] { return lane().queue.size() == 1; }));
  EXPECT_EQ(wait_end(cancel(second)).state, State::kSucceeded);
  EXPECT_EQ(wait_end(second).state, State::kCancelled);
  EXPECT_TRUE(wait_until([&] { return lane().queue.empty(); }));
  engine().hold_builds(false);
  EXPECT_EQ(wait_end(first).state, State::kSucceeded);
}

TEST_F(Cancelling, a_request_that_is_stored_and_not_queued_yet_is_no_reason_for_too_late) {
  leave_behind("r-stored", std::string(kDeploy));
  EXPECT_EQ(wait_end(cancel("r-stored")).state, State::kSucceeded);
  EXPECT_EQ(wait_end("r-stored").state, State::kCancelled);
}

TEST_F(Cancelling, a_deployer_that_dies_between_end_and_queue_leaves_nothing_to_run) {
  manager_.reset();
  leave_behind("r-ended", std::string(kDeploy));
  ASSERT_TRUE(repository_.lanes().enqueue("shop", "r-ended"));
  messages::DeploymentStatus status;
  status.request_id = "r-ended";
  status.service_id = "shop";
  status.seq = 1;
  status.stage = Stage::kDone;
  status.state = State::kCancelled;
  status.final = true;
  ASSERT_TRUE(*repository_.deployments().append("r-ended", 0, status));
  start();
  wait_free();
  EXPECT_EQ(wait_end("r-ended").state, State::kCancelled);
  EXPECT_EQ(lane().epoch, 0) << "it was not taken";
}

TEST_F(Cancelling, a_request_in_no_lane_is_found_and_run) {
  manager_.reset();
  leave_behind("r-lost", std::string(kDeploy));
  start();
  EXPECT_EQ(wait_end("r-lost").state, State::kSucceeded);
}

TEST_F(Cancelling, a_request_in_no_lane_that_a_newer_one_overtook_runs_nothing) {
  wait_end(ask_deploy());
  leave_behind("r-old", std::string(kDeploy), clock_.now() - 1h);
  EXPECT_EQ(wait_end("r-old").state, State::kSuperseded);
}

TEST_F(Cancelling, a_stop_that_is_cancelled_before_it_decides_ends_and_the_service_goes_on) {
  wait_end(ask_deploy());
  wait_free();
  manager_.reset();
  leave_behind("r-stop", R"("action":"stop")");
  ASSERT_TRUE(repository_.lanes().enqueue("shop", "r-stop"));
  ASSERT_TRUE(*repository_.lanes().take("shop", "r-stop", "dm-1"));
  ASSERT_TRUE(*repository_.lanes().cancel("shop", "r-stop"));
  start();
  EXPECT_EQ(wait_end("r-stop").state, State::kCancelled);
  wait_free();
  EXPECT_TRUE(container("shop-1-1")->running);
  EXPECT_EQ(lane().wanted, ports::Wanted::kRunning);
}

TEST_F(Cancelling, twice_is_the_same_answer_and_another_services_request_is_forbidden) {
  engine().hold_builds(true);
  const auto id = ask_deploy();
  ASSERT_TRUE(wait_until([&] { return engine().count("build") == 1; }));
  bus_.put_plain(topics_.deployment_requests,
                 R"({"request_id":"c-1","service_id":"till","action":"cancel","cancels":")" + id + R"("})");
  EXPECT_EQ(wait_end("c-1").error->code, "cancel.forbidden");
  const auto first = cancel(id), second = cancel(id);
  EXPECT_EQ(wait_end(first).state, State::kSucceeded);
  EXPECT_EQ(wait_end(second).state, State::kSucceeded);
  EXPECT_EQ(wait_end(id).state, State::kCancelled);
}

TEST_F(Cancelling, the_same_id_with_another_content_is_a_conflict_and_cancels_nothing) {
  wait_end(cancel("r-future"));
  engine().hold_builds(true);
  const auto id = ask_deploy();
  ASSERT_TRUE(wait_until([&] { return engine().count("build") == 1; }));
  bus_.put_plain(topics_.deployment_requests,
                 R"({"request_id":"r-1","service_id":"shop","action":"cancel","cancels":")" + id + R"("})");
  const auto dead = bus_.wait_for_count(topics_.deadletter, 1);
  ASSERT_EQ(dead.size(), 1U);
  EXPECT_FALSE(lane().cancel);
  // The same for an id under which a request was refused.
  const auto refused = ask(R"("action":"deploy")");
  EXPECT_EQ(wait_end(refused).state, State::kRejected);
  bus_.put_plain(topics_.deployment_requests,
                 R"({"request_id":")" + refused + R"(","service_id":"shop","action":"cancel"})");
  EXPECT_EQ(bus_.wait_for_count(topics_.deadletter, 2).size(), 2U);
  engine().hold_builds(false);
  EXPECT_EQ(wait_end(id).state, State::kSucceeded);
}

class CancelledAt : public HeldAt {};

TEST_P(CancelledAt, it_ends_within_two_seconds_and_what_served_serves) {
  ASSERT_NO_FATAL_FAILURE(serve_first());
  const auto old = *container("shop-1-1");
  const auto id = ask_and_hold();
  ASSERT_TRUE(wait_until([&] { return is_held(id); }));

  const auto began = clock_.mono();
  const auto answer = wait_end(cancel(id));
  EXPECT_EQ(answer.state, State::kSucceeded) << answer.message;
  const auto end = wait_end(id);
  EXPECT_LT(clock_.mono() - began, 2s);
  EXPECT_EQ(end.state, State::kCancelled) << end.message;
  EXPECT_EQ(end.serving, 1);
  wait_free();
  EXPECT_FALSE(container("shop-2-1"));
  const auto now = container("shop-1-1");
  ASSERT_TRUE(now);
  EXPECT_EQ(now->id, old.id);
  EXPECT_TRUE(now->running);
  EXPECT_EQ(now->restart, "always");
  if (!GetParam().switched) {
    EXPECT_EQ(now->started_at, old.started_at) << "it was never touched";
  }
  EXPECT_EQ(lane().committed, 1);
}

INSTANTIATE_TEST_SUITE_P(EveryStage, CancelledAt, ::testing::ValuesIn(kHeldStages),
                         [](const auto& one) { return one.param.stage; });

// A Sensor Manager that binds every need to one topic.
class WithSensors : public Cancelling {
 protected:
  WithSensors() {
    const std::vector<messages::TopicSpec> topics{{.name = "sensor.temperature.t1", .partitions = 1}};
    EXPECT_TRUE(bus_.ensure_topics(topics));
    put_source(std::string(kSensorMeta), "print(1)");
    EXPECT_TRUE(sensors_.wait_ready(5s));
  }
  void answer(const ports::Record& record) {
    const auto request = messages::parse_sensor_request(*record.value, record.key, {});
    if (!request || silent_) return;
    messages::SensorReply reply{.request_id = request->request.request_id,
                                .service_id = "shop",
                                .sensor_id = {},
                                .binding = 1,
                                .topics = {{"air", {"sensor.temperature.t1", "t1", "", {}}}},
                                .missing = {},
                                .error = {},
                                .correlation_id = request->request.correlation_id};
    if (late_answer_) {
      auto late = reply;
      late.correlation_id = reply.request_id + ":0";
      late.topics = {{"air", {"sensor.temperature.other", "other", "", {}}}};
      bus_.put_plain(topics_.sensor_replies, messages::to_json(late));
    }
    std::string json = messages::to_json(reply);
    if (bad_answer_)
      json = R"({"request_id":"x","correlation_id":")" + reply.correlation_id +
             R"(","topics":{"air":{"sensor_id":"t1"}}})";
    bus_.put_plain(topics_.sensor_replies, json);
  }
  int flowed_ = 0;
  std::atomic<bool> bad_answer_ = false, late_answer_ = false, silent_ = false;
  ports::TopicReader sensors_{bus_,
                              clock_,
                              Log::silent(),
                              {topics_.sensor_requests},
                              ports::From::kEnd,
                              [this](const ports::Record& record) { answer(record); }};
};

TEST_F(WithSensors, after_the_cutover_it_is_too_late_while_readings_are_waited_for) {
  const auto id = ask_deploy();
  ASSERT_TRUE(wait_until([&] { return is_at(id, Stage::kFlowing); }));
  const auto late = wait_end(cancel(id));
  EXPECT_EQ(late.state, State::kRejected);
  EXPECT_EQ(late.error->code, "cancel.too_late");
  EXPECT_NE(late.error->hint.find("slipway rollback shop"), std::string::npos);
  EXPECT_TRUE(bus_.commit_for(messages::service_group("shop"), {{{"sensor.temperature.t1", 0}, 1}}));
  EXPECT_EQ(wait_end(id).state, State::kSucceeded);
  EXPECT_TRUE(container("shop-1-1")->running);
}

TEST_F(WithSensors, a_container_that_cannot_reach_kafka_is_found_before_the_switch) {
  engine().script([](const ports::ContainerSpec& spec) {
    fakes::ContainerScript script;
    if (spec.name.starts_with("slipway-agent-probe-")) {
      script.dies_at_start = 1;
      script.logs = {"failed: 10.0.0.1:9092: connection refused"};
    }
    return script;
  });
  const auto end = wait_end(ask_deploy());
  EXPECT_EQ(end.state, State::kRejected);
  EXPECT_EQ(end.error->code, "kafka.unreachable_from_machine");
  EXPECT_NE(end.message.find("10.0.0.1:9092: connection refused"), std::string::npos) << end.message;
  EXPECT_FALSE(container("shop-1-1"));
  const auto left = engine().list({});
  for (const auto& one : *left) EXPECT_FALSE(one.name.starts_with("slipway-agent-probe-"));
}

TEST_F(WithSensors, a_way_to_kafka_that_worked_is_not_tried_again_at_once) {
  const auto probes = [&] {
    const auto calls = engine().calls();
    return std::ranges::count_if(
        calls, [](const auto& call) { return call.starts_with("create slipway-agent-probe-"); });
  };
  const auto deploy = [&] {
    const auto id = ask_deploy();
    ASSERT_TRUE(wait_until([&] { return is_at(id, Stage::kFlowing); }));
    const auto offset = static_cast<std::int64_t>(++flowed_);
    EXPECT_TRUE(bus_.commit_for(messages::service_group("shop"), {{{"sensor.temperature.t1", 0}, offset}}));
    EXPECT_EQ(wait_end(id).state, State::kSucceeded);
  };
  deploy();
  put_source(std::string(kSensorMeta), "print(2)");
  deploy();
  EXPECT_EQ(probes(), 1);
}

// FAULTS F70
TEST_F(WithSensors, F70_a_silent_sensor_manager_ends_the_deployment_with_nothing_created) {
  silent_ = true;
  change_settings_ = [](Settings& settings) { settings.sensor_patience = 1s; };
  manager_.reset();
  start();
  const auto end = wait_end(ask_deploy());
  EXPECT_EQ(end.state, State::kFailed);
  ASSERT_TRUE(end.error);
  EXPECT_EQ(end.error->code, "sensor_manager.no_reply");
  EXPECT_FALSE(end.error->hint.empty());
  EXPECT_FALSE(container("shop-1-1"));
}

// FAULTS F71
TEST_F(WithSensors, F71_an_answer_to_an_earlier_epoch_is_ignored) {
  late_answer_ = true;
  ask_deploy();
  const auto release = [&] { return *repository_.releases().find("shop@000001"); };
  ASSERT_TRUE(wait_until([&] { return release().has_value(); }));
  EXPECT_EQ(release()->topics.at("air").topic, "sensor.temperature.t1");
}

// FAULTS F73
TEST_F(WithSensors, F73_an_answer_that_breaks_its_contract_ends_the_deployment_at_once_with_its_place) {
  bad_answer_ = true;
  const auto end = wait_end(ask_deploy());
  EXPECT_EQ(end.state, State::kFailed);
  EXPECT_EQ(end.error->code, "sensor_manager.bad_reply");
  EXPECT_NE(end.error->message.find("topics"), std::string::npos) << end.error->message;
}

}  // namespace
}  // namespace slipway::deployment_manager
