#include "adapters/docker/container_body.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace slipway::docker {
namespace {

using nlohmann::json;

ports::ContainerSpec demo() {
  ports::ContainerSpec spec;
  spec.name = "demo-1-1";
  spec.image = "slipway/demo:1";
  return spec;
}

json body_of(const ports::ContainerSpec& spec) {
  return json::parse(container_body(spec));
}

TEST(ContainerBody, hardens_what_nobody_asked_to_open) {
  const auto body = body_of(demo());
  const auto& host = body["HostConfig"];
  EXPECT_EQ(host["CapDrop"], json::array({"ALL"}));
  EXPECT_FALSE(host.contains("CapAdd"));
  EXPECT_FALSE(host.contains("Privileged"));
  EXPECT_FALSE(host.contains("Devices"));
  EXPECT_EQ(host["SecurityOpt"], json::array({"no-new-privileges"}));
  EXPECT_EQ(host["Memory"], 256 << 20);
  EXPECT_EQ(host["MemorySwap"], 256 << 20);
  EXPECT_EQ(host["NanoCpus"], 1'000'000'000);
  EXPECT_EQ(host["PidsLimit"], 256);
  EXPECT_EQ(host["Init"], true);
  EXPECT_EQ(host["NetworkMode"], "bridge");
  EXPECT_EQ(host["CgroupnsMode"], "private");
  EXPECT_FALSE(host.contains("PidMode"));
  EXPECT_EQ(host["RestartPolicy"], (json{{"Name", "no"}}));
  EXPECT_EQ(host["LogConfig"]["Type"], "local");
  EXPECT_EQ(host["LogConfig"]["Config"], (json{{"max-size", "10m"}, {"max-file", "3"}}));
  EXPECT_EQ(body["Healthcheck"], (json{{"Test", {"NONE"}}}));
  EXPECT_FALSE(body.contains("Entrypoint"));
  EXPECT_FALSE(body.contains("Cmd"));
  EXPECT_FALSE(body.contains("User"));
}

TEST(ContainerBody, says_everything_that_the_spec_says) {
  auto spec = demo();
  spec.entrypoint = std::vector<std::string>{};
  spec.command = std::vector<std::string>{"python3", "main.py"};
  spec.env = {{"A", "1=2"}, {"TEXT", "line\nFROM evil\xff"}};
  spec.labels = {{"slipway.service", "demo"}};
  spec.user = "65532";
  spec.working_dir = "/app";
  spec.ports = {{8080, 0, "127.0.0.1", "tcp"}, {53, 5353, "0.0.0.0", "udp"}};
  spec.read_only_root = true;
  spec.network = "host";
  spec.host_pid = spec.host_cgroup = true;
  spec.cpus = 0.25;
  spec.restart = "on-failure:5";
  spec.stop_signal = "SIGINT";
  spec.stop_grace = std::chrono::seconds{7};
  spec.extra_hosts = {"kafka:10.77.1.1"};
  const auto body = body_of(spec);
  EXPECT_EQ(body["Entrypoint"], json::array());
  EXPECT_EQ(body["Cmd"], (json{"python3", "main.py"}));
  EXPECT_EQ(body["Env"][0], "A=1=2");
  EXPECT_EQ(body["Env"][1], "TEXT=line\nFROM evil\xEF\xBF\xBD");
  EXPECT_EQ(body["Labels"]["slipway.service"], "demo");
  EXPECT_EQ(body["User"], "65532");
  EXPECT_EQ(body["WorkingDir"], "/app");
  EXPECT_EQ(body["StopSignal"], "SIGINT");
  EXPECT_EQ(body["StopTimeout"], 7);
  EXPECT_TRUE(body["ExposedPorts"].contains("8080/tcp"));
  const auto& host = body["HostConfig"];
  EXPECT_EQ(host["PortBindings"]["8080/tcp"], (json::array({{{"HostIp", "127.0.0.1"}, {"HostPort", "0"}}})));
  EXPECT_EQ(host["PortBindings"]["53/udp"], (json::array({{{"HostIp", "0.0.0.0"}, {"HostPort", "5353"}}})));
  EXPECT_EQ(host["ReadonlyRootfs"], true);
  EXPECT_EQ(host["NetworkMode"], "host");
  EXPECT_EQ(host["PidMode"], "host");
  EXPECT_EQ(host["CgroupnsMode"], "host");
  EXPECT_EQ(host["NanoCpus"], 250'000'000);
  EXPECT_EQ(host["RestartPolicy"], (json{{"Name", "on-failure"}, {"MaximumRetryCount", 5}}));
  EXPECT_EQ(host["ExtraHosts"], (json{"kafka:10.77.1.1"}));
}

TEST(ContainerBody, tells_mounts_apart) {
  using Kind = ports::Mount::Kind;
  auto spec = demo();
  spec.mounts = {{Kind::kVolume, "", "/run/slipway", false, 0},
                 {Kind::kVolume, "probe", "/probe", true, 0},
                 {Kind::kBind, "/sys/fs/cgroup", "/sys/fs/cgroup", true, 0},
                 {Kind::kTmpfs, "", "/tmp", false, 64 << 20}};
  const auto host = body_of(spec)["HostConfig"];
  ASSERT_EQ(host["Mounts"].size(), 3U);
  EXPECT_EQ(host["Mounts"][0], (json{{"Type", "volume"}, {"Target", "/run/slipway"}, {"ReadOnly", false}}));
  EXPECT_EQ(host["Mounts"][1]["Source"], "probe");
  EXPECT_EQ(
      host["Mounts"][2],
      (json{
          {"Type", "bind"}, {"Source", "/sys/fs/cgroup"}, {"Target", "/sys/fs/cgroup"}, {"ReadOnly", true}}));
  EXPECT_EQ(host["Tmpfs"], (json{{"/tmp", "mode=1777,size=67108864"}}));
}

TEST(ContainerBody, counts_health_in_nanoseconds) {
  auto spec = demo();
  spec.health.test = {"/probe/slipway-probe", "tcp", "8080"};
  const auto health = body_of(spec)["Healthcheck"];
  EXPECT_EQ(health["Test"], (json{"CMD", "/probe/slipway-probe", "tcp", "8080"}));
  EXPECT_EQ(health["Interval"], 30'000'000'000);
  EXPECT_EQ(health["Timeout"], 2'000'000'000);
  EXPECT_EQ(health["StartPeriod"], 20'000'000'000);
  EXPECT_EQ(health["Retries"], 3);
}

TEST(RestartBody, knows_each_policy) {
  EXPECT_EQ(json::parse(restart_body("always")), (json{{"RestartPolicy", {{"Name", "always"}}}}));
  EXPECT_EQ(json::parse(restart_body("on-failure:3")),
            (json{{"RestartPolicy", {{"Name", "on-failure"}, {"MaximumRetryCount", 3}}}}));
}

}  // namespace
}  // namespace slipway::docker
