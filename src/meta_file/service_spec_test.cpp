#include "meta_file/service_spec.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "meta_file/read.hpp"

namespace slipway::meta_file {
namespace {

using namespace std::chrono_literals;

ServiceSpec everything() {
  ServiceSpec spec;
  spec.name = "boiler";
  spec.version = "1.10";
  spec.labels = {{"team", "plant"}};
  spec.image_source = ImageSource::kDockerfile;
  spec.dockerfile = "Dockerfile";
  spec.build_args = {{"A", "b"}};
  spec.command = {"a", "b\nc"};
  spec.env = {{"K", "v"}};
  spec.ports = {{"web", 80, 0, "::1", "udp"}};
  spec.volumes = {{"data", "/data", true}};
  spec.cpus = 0.5;
  spec.memory_bytes = 1ULL << 40;
  spec.healthcheck = {HealthCheck::Kind::kTest, "", 0, {"check"}, 1s, 2s, 3s, 4};
  spec.restart = {RestartPolicy::Kind::kOnFailure, 3};
  spec.update = {1s, 2s};
  SensorNeed need;
  need.name = "air";
  need.type = "bme280";
  need.location = Location{"site", "", 1.5, std::nullopt, -3.0};
  need.rate = "1/s";
  need.period = 1s;
  need.fields["t"] = {"Cel", "number", -40.0, std::nullopt, "air"};
  spec.sensors = {need, SensorNeed{}};
  spec.topics = {"out"};
  return spec;
}

TEST(ServiceSpec, comes_back_from_json_as_it_was) {
  for (const ServiceSpec& spec : {everything(), ServiceSpec{}}) {
    const auto json = to_json(spec);
    const auto again = spec_from_json(nlohmann::json::parse(json.dump()));
    ASSERT_TRUE(again) << to_string(again.error());
    EXPECT_EQ(*again, spec);
    EXPECT_EQ(to_json(*again).dump(), json.dump());
  }
}

TEST(ServiceSpec, takes_defaults_for_fields_that_an_older_release_did_not_store) {
  auto json = to_json(everything());
  json.erase("pids");
  json.at("update").erase("deadline_ms");
  const auto spec = spec_from_json(json);
  ASSERT_TRUE(spec);
  EXPECT_EQ(spec->pids, 256U);
  EXPECT_EQ(spec->update.deadline, 5min);
}

TEST(ServiceSpec, refuses_stored_json_of_the_wrong_type) {
  const std::vector<std::pair<const char*, nlohmann::json>> rows{
      {"name", 1},   {"pids", 4294967376LL}, {"pids", -1},          {"pids", 80.9}, {"ports", "80"},
      {"cpus", "1"}, {"restart", "never"},   {"image_source", "x"}, {"env", {1}}};
  for (const auto& [key, wrong] : rows) {
    auto json = to_json(everything());
    json[key] = wrong;
    const auto spec = spec_from_json(json);
    ASSERT_FALSE(spec) << key;
    EXPECT_EQ(spec.error().kind, ErrorKind::kCorrupt);
    EXPECT_EQ(spec.error().code, "meta.stored");
  }
  EXPECT_FALSE(spec_from_json(nlohmann::json::array()));
}

}  // namespace
}  // namespace slipway::meta_file
