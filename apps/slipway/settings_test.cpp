#include "settings.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <sstream>

namespace slipway {
namespace {

TEST(Settings, come_from_the_file_and_then_the_environment) {
  const auto settings = parse_settings(
      "slipway.yaml",
      "kafka:\n  brokers: 10.0.0.1:9092\n  properties:\n    security.protocol: SSL\n"
      "runtimes:\n  python: {image: 'base:1'}\nmachines: {insecure_networks: [10.77.0.0/24]}\n",
      {{"SLIPWAY_MONGODB_URI", "mongodb://h:1"}});
  ASSERT_TRUE(settings) << to_string(settings.error());
  EXPECT_EQ(settings->kafka_brokers, "10.0.0.1:9092");
  EXPECT_EQ(settings->kafka_machine_brokers, "10.0.0.1:9092");
  EXPECT_EQ(settings->kafka_properties.at("security.protocol"), "SSL");
  EXPECT_EQ(settings->runtime_images.at("python"), "base:1");
  EXPECT_EQ(settings->insecure_networks, std::vector<std::string>{"10.77.0.0/24"});
  EXPECT_EQ(settings->mongodb_uri, "mongodb://h:1");
}

TEST(Settings, say_what_a_runtime_is_built_with) {
  const auto settings = parse_settings(
      "slipway.yaml", "runtimes:\n  node: {image: n, build_image: npm, versions: [\"18\", \"20\"]}\n", {});
  ASSERT_TRUE(settings) << to_string(settings.error());
  EXPECT_EQ(settings->runtime_images.at("node"), "n");
  EXPECT_EQ(settings->runtime_build_images.at("node"), "npm");
  EXPECT_EQ(settings->runtime_versions.at("node"), (std::vector<std::string>{"18", "20"}));
  const auto useless = parse_settings("slipway.yaml", "runtimes: {python: {build_image: x}}\n", {});
  ASSERT_FALSE(useless);
  EXPECT_EQ(useless.error().code, "config.value");
}

TEST(Settings, name_the_place_of_what_is_wrong) {
  const auto unknown = parse_settings("slipway.yaml", "kafka:\n  borkers: x\n", {});
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().code, "config.unknown_key");
  EXPECT_EQ(unknown.error().where, "slipway.yaml:2:3");
  EXPECT_EQ(unknown.error().hint, "did you mean 'kafka.brokers'?");
  const auto list = parse_settings("slipway.yaml", "mongodb: {uri: [a, b]}\n", {});
  ASSERT_FALSE(list);
  EXPECT_EQ(list.error().code, "config.value");
  const auto duration = parse_settings("slipway.yaml", "", {{"SLIPWAY_AGENT_INTERVAL", "abc"}});
  ASSERT_FALSE(duration);
  EXPECT_EQ(duration.error().where, "$SLIPWAY_AGENT_INTERVAL");
}

TEST(Settings, are_all_in_the_table_of_the_documentation) {
  const char* root = std::getenv("SLIPWAY_SOURCE_DIR");
  std::ifstream in(std::string(root ? root : ".") + "/docs/running.md");
  std::ostringstream text;
  text << in.rdbuf();
  for (const auto& key : known_settings())
    EXPECT_NE(text.str().find("`" + key + "`"), std::string::npos) << key << " is missing in docs/running.md";
}

}  // namespace
}  // namespace slipway
