#include "systems/machine_agent/settings.hpp"

#include <gtest/gtest.h>

namespace slipway::machine_agent {
namespace {

TEST(Settings, reads_what_the_deployment_manager_writes) {
  const auto settings =
      parse_settings(R"({"machine": "edge-1", "topic": "site.machine.stats", "interval_ms": 2000,
      "config": "3f9c", "filesystems": [{"mount": "/data", "path": "/fs/data"}], "later": true})");
  ASSERT_TRUE(settings);
  EXPECT_EQ(settings->machine, "edge-1");
  EXPECT_EQ(settings->topic, "site.machine.stats");
  EXPECT_EQ(settings->interval, milliseconds{2000});
  EXPECT_EQ(settings->config, "3f9c");
  ASSERT_EQ(settings->filesystems.size(), 1u);
  EXPECT_EQ(settings->filesystems[0].mount, "/data");
}

TEST(Settings, need_only_the_machine) {
  const auto settings = parse_settings(R"({"machine": "edge-1"})");
  ASSERT_TRUE(settings);
  EXPECT_EQ(settings->topic, "slipway.machine.stats");
  EXPECT_EQ(settings->interval, milliseconds{1000});
}

TEST(Settings, refuse_what_cannot_be_right) {
  for (const auto* text : {"", "[]", "{}", R"({"machine": 3})", R"({"machine": "a", "interval_ms": 5})",
                           R"({"machine": "a", "interval_ms": "1s"})", R"({"machine": "a", "topic": ""})",
                           R"({"machine": "a", "filesystems": [{"mount": "/x"}]})", R"({"machine": "a")"})
    EXPECT_FALSE(parse_settings(text)) << text;
}

TEST(Properties, are_lines_of_name_and_value) {
  const auto properties = parse_properties(
      "# made by Slipway\nbootstrap.servers=10.0.0.1:9092,10.0.0.2:9092\n\n"
      " sasl.password = a=b \r\n");
  ASSERT_TRUE(properties);
  ASSERT_EQ(properties->size(), 2u);
  EXPECT_EQ((*properties)[0].second, "10.0.0.1:9092,10.0.0.2:9092");
  EXPECT_EQ((*properties)[1].first, "sasl.password");
  EXPECT_EQ((*properties)[1].second, "a=b");
}

TEST(Properties, errors_name_the_line_but_not_its_content) {
  const auto properties = parse_properties("a=b\nsecret\n");
  ASSERT_FALSE(properties);
  EXPECT_NE(properties.error().message.find("kafka.properties:2"), std::string::npos);
  EXPECT_EQ(properties.error().message.find("secret"), std::string::npos);
}

}  // namespace
}  // namespace slipway::machine_agent
