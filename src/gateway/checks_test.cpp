#include <gmock/gmock.h>

#include "messages/machine.hpp"
#include "tests/fakes/gateway_world.hpp"

namespace slipway::gateway {
namespace {

using nlohmann::json;

TEST_F(GatewayTest, says_that_the_world_is_as_the_journal_says) {
  start();
  const json checked = get("/api/v1/check");
  EXPECT_EQ(checked["ok"], true) << checked.dump();
  EXPECT_EQ(checked["findings"], json::array());
  EXPECT_EQ(checked["looked_at"]["machines"], 0);
}

TEST_F(GatewayTest, names_what_is_not_as_the_journal_says) {
  settings.second_look = milliseconds{1};
  ASSERT_TRUE(repository.machines().put({messages::Machine{.name = "edge-1", .docker = "tcp://edge-1"}}));
  engines.engine->add_container({.name = "stray", .labels = {{"slipway.instance", "default"}}});
  start();
  const json checked = get("/api/v1/check");
  EXPECT_EQ(checked["ok"], false);
  EXPECT_EQ(checked["found"], 2) << checked.dump();
  const json& stray = checked["findings"][0];
  EXPECT_EQ(stray["code"], "container.unknown");
  EXPECT_EQ(stray["where"], "edge-1/stray");
  EXPECT_THAT(stray["fix"].get<std::string>(), testing::HasSubstr("docker rm -f stray"));
  EXPECT_EQ(checked["findings"][1]["code"], "agent.missing");
}

TEST_F(GatewayTest, names_the_peer_without_which_nothing_can_be_checked) {
  start();
  repository.set_down(true);
  EXPECT_EQ(get("/api/v1/check", 503)["code"], "repository.unreachable");
  repository.set_down(false);
  bus.set_down(true);
  EXPECT_EQ(get("/api/v1/check", 503)["code"], "kafka.unreachable");
}

TEST_F(GatewayTest, does_not_wait_for_a_second_look_when_it_stops) {
  settings.second_look = std::chrono::minutes{10};
  ASSERT_TRUE(repository.machines().put({messages::Machine{.name = "edge-1", .docker = "tcp://edge-1"}}));
  start();
  std::jthread caller([&] { EXPECT_EQ(get("/api/v1/check", 503)["code"], "server.stopping"); });
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds{5};
  while (engines.engine->count("list_volumes") == 0 && std::chrono::steady_clock::now() < deadline)
    std::this_thread::yield();
  EXPECT_EQ(get("/api/v1/check", 409)["code"], "check.busy");
  gateway.reset();
}

}  // namespace
}  // namespace slipway::gateway
