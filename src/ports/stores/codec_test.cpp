#include "ports/stores/codec.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "ports/stores/answers.hpp"
#include "ports/stores/deployment.hpp"
#include "ports/stores/lane.hpp"
#include "ports/stores/leases.hpp"
#include "ports/stores/machines.hpp"
#include "ports/stores/placements.hpp"
#include "ports/stores/releases.hpp"
#include "ports/stores/sensors.hpp"
#include "ports/stores/services.hpp"
#include "ports/stores/topics.hpp"

namespace slipway::ports::codec {
namespace {

using nlohmann::json;

Lane empty_lane() {
  Lane lane;
  lane.service_id = "s";
  return lane;
}

const WallTime kNow = from_ms(1'795'348'901'134);

// Everything that the struct holds comes back: written again, it gives the same document.
template <class T>
json twice(const T& value) {
  const json once = to_document(value);
  const auto back = from_document<T>(once);
  EXPECT_TRUE(back) << to_string(back.error());
  EXPECT_EQ(to_document(*back), once);
  return once;
}

TEST(Codec, keeps_every_field_of_a_release) {
  const json document = twice(Release{"boiler",
                                      7,
                                      "r-1",
                                      "key",
                                      "boiler/1",
                                      "1.10",
                                      "sha",
                                      "{}",
                                      "FROM x",
                                      "ik",
                                      "img",
                                      3,
                                      {{"air", {"sensor.a.b", "b", "b", kNow}}},
                                      "edge-1",
                                      kNow});
  EXPECT_EQ(document["_id"], "boiler@000007");
  EXPECT_EQ(document["created_at"], (json{{"$date", 1'795'348'901'134}}));
  EXPECT_EQ(document["topics"]["air"]["topic"], "sensor.a.b");
}

TEST(Codec, keeps_every_field_of_an_instance) {
  const json document = twice(
      Instance{"s", 2, 1, "edge-1", "9f", "s-2-1", "running", "healthy", {{8080, "127.0.0.1:1"}}, kNow});
  EXPECT_EQ(document["_id"], "s-2-1@edge-1");
  EXPECT_EQ(document["ports"]["8080"], "127.0.0.1:1");
}

TEST(Codec, keeps_every_field_of_a_failure) {
  Failure failure;
  failure.request_id = "r-1";
  failure.error = {ErrorKind::kUnknown, "code", "message", "where", "hint", {"last line"}};
  failure.exit_code = 7;
  failure.oom_killed = true;
  failure.last_logs = {"one", "two"};
  failure.topics = {{"air", {"t", "s", "k", std::nullopt}}};
  failure.at = kNow;
  twice(failure);
  const auto back = from_document<Failure>(to_document(failure));
  ASSERT_TRUE(back);
  EXPECT_EQ(back->error.kind, ErrorKind::kUnknown);
  EXPECT_EQ(back->exit_code, 7);
  EXPECT_EQ(back->last_logs, failure.last_logs);
}

TEST(Codec, keeps_every_field_of_the_other_documents) {
  twice(Service{"s", "running", 7, "1", "p", "m", "r", "e", kNow});
  twice(ServiceHistory{"s/1/r", "s", "r", "deployed", "running", "well", 7, kNow});
  twice(Placement{"r", "s", "m", "least loaded", {{"edge.2", "down"}}, kNow});
  EXPECT_EQ(twice(TopicDocument{"slipway.alerts", "c-1", 6, kNow})["_id"], "slipway.alerts");
  twice(Answer{"r", "d", "t", "k", "{}", kNow});
  twice(Lease{"scheduler", "me", 3, 4});
  Binding binding{"s", 3, "r", {}, {{"air", {"t", "s", "k", kNow}}}, kNow};
  binding.needs.push_back(
      {"air", "bme280", messages::Location{"a", "b", 1.5, {}, {}}, "12/min", {{"t", "Cel"}}, true});
  twice(binding);
  SensorDocument sensor;
  sensor.sensor = {"boiler-7", "bme280", messages::Location{"a", "b", {}, {}, 3.0},
                   "t",        "1/s",    {{"t", "Cel"}},
                   true,       20,       kNow};
  twice(sensor);
  MachineDocument machine;
  machine.machine.name = "edge-1";
  machine.machine.labels = {{"site.name/a", "x"}, {"$where", "y"}};
  machine.machine.facts = {{"cpus", "4"}};
  machine.machine.state =
      messages::MachineStateReport{"edge-1", messages::MachineState::kDown, "agent", kNow, 1, 2, kNow};
  const auto back = from_document<MachineDocument>(twice(machine));
  ASSERT_TRUE(back);
  EXPECT_EQ(back->machine.labels, machine.machine.labels);
  EXPECT_EQ(back->machine.state->state, messages::MachineState::kDown);
}

TEST(Codec, keeps_every_field_of_a_lane) {
  Lane lane{"s", "r-1", {"r-2", "r-3"},     5,          "me", 9,     "r-1", std::nullopt,
            7,   6,     Wanted::kCompleted, {"edge-1"}, 8,    "r-1", 4};
  EXPECT_EQ(twice(lane)["wanted"], "completed");
  EXPECT_TRUE(twice(empty_lane())["active"].is_null());
}

TEST(Codec, keeps_a_deployment_with_its_stages) {
  Deployment deployment;
  deployment.request_id = "r-1";
  deployment.service_id = "s";
  deployment.request.request_id = "r-1";
  deployment.request.service_id = "s";
  deployment.request.path = "s/1";
  deployment.facts = {{"image.key", "k"}};
  deployment.end = messages::State::kFailed;
  deployment.open = false;
  messages::DeploymentStatus status;
  status.request_id = "r-1";
  status.service_id = "s";
  status.seq = 1;
  status.at = kNow;
  status.topics = {{"air", "t"}};
  status.error = Error{ErrorKind::kInvalid, "c", "m"};
  deployment.stages = {status};
  const json document = twice(deployment);
  EXPECT_FALSE(document.contains("open")) << "sparse index: unset when closed";
  EXPECT_TRUE(document["unpublished"]);
  EXPECT_EQ(document["facts"]["image%2Ekey"], "k");
  const auto back = from_document<Deployment>(document);
  ASSERT_TRUE(back);
  EXPECT_EQ(back->stages.at(0).topics, status.topics);
  EXPECT_EQ(back->request.path, "s/1");
}

TEST(Codec, names_the_field_that_is_of_another_type) {
  json document = to_document(empty_lane());
  document["epoch"] = "high";
  const auto lane = from_document<Lane>(document);
  ASSERT_FALSE(lane);
  EXPECT_EQ(lane.error().kind, ErrorKind::kCorrupt);
  EXPECT_NE(lane.error().message.find("epoch"), std::string::npos);
  document["epoch"] = 1.5;
  EXPECT_FALSE(from_document<Lane>(document));
  EXPECT_FALSE(from_document<Lane>(json::array()));
}

TEST(Codec, escapes_names_that_would_be_operators_or_paths) {
  for (const std::string name : {"$set", "a.b", "100%", "%2E", "%", "a%2", "", "ü.$"}) {
    const std::string escaped = escape_key(name);
    EXPECT_EQ(escaped.find_first_of(".$"), std::string::npos) << name;
    EXPECT_EQ(unescape_key(escaped), name);
  }
}

}  // namespace
}  // namespace slipway::ports::codec
