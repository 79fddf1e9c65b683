#include "systems/machine_agent/probes/container.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>

#include "systems/machine_agent/probes/recorded_tree.hpp"

namespace slipway::machine_agent {
namespace {

using std::chrono::seconds;

const std::string kBusyV1 = "1194a080c9ec645af947c48ef8db8ea2886ec730af05d4858735182b1d907d44";
const std::string kAgentV1 = "d1fb3711124f0cd76d3f1129f94569ea19e9f77ff8272f8a8aa9e0ad826b8daf";
const std::string kAgentV2 = "aaaaaaaa0123456789abcdef0123456789abcdef0123456789abcdef00000000";
const std::string kServiceV2 = "5f3c0123456789abcdef0123456789abcdef0123456789abcdef000000000000";

const ContainerUse* find(const std::vector<ContainerUse>& uses, const std::string& id) {
  const auto found = std::ranges::find(uses, id, &ContainerUse::id);
  return found == uses.end() ? nullptr : &*found;
}

TEST(ContainerId, is_sixty_four_hex_digits_with_or_without_the_scope) {
  EXPECT_EQ(find_container_id(kBusyV1), kBusyV1);
  EXPECT_EQ(find_container_id("docker-" + kBusyV1 + ".scope"), kBusyV1);
  EXPECT_EQ(find_container_id(kBusyV1.substr(1)), "");
  EXPECT_EQ(find_container_id("ssh.service"), "");
  EXPECT_EQ(find_container_id("docker" + kBusyV1 + ".scope"), "");
  EXPECT_EQ(find_container_id("Z" + kBusyV1.substr(1)), "");
}

TEST(ContainerProbe, reads_version_1) {
  RecordedTree tree{"cgroup_v1"};
  auto probe = ContainerProbe::create(tree.root());
  ASSERT_TRUE(probe);
  std::string buffer;
  const auto first = probe->step(seconds{0}, buffer);
  ASSERT_TRUE(first);
  EXPECT_TRUE((*first)->empty());
  tree.advance();
  const auto second = probe->step(seconds{1}, buffer);
  ASSERT_TRUE(second);
  ASSERT_EQ((*second)->size(), 2u);
  const auto* busy = find(**second, kBusyV1);
  ASSERT_NE(busy, nullptr);
  EXPECT_NEAR(busy->cpu, 100.0 * (20875652970 - 20369084105) / 1e9, 1e-9);        // cpuacct.usage: 50.66 %
  EXPECT_NEAR(busy->throttled, 100.0 * (20837754746 - 20345350423) / 1e9, 1e-9);  // throttled_time
  EXPECT_EQ(busy->memory, 15613952 - 6647808);  // memory.usage_in_bytes - total_inactive_file
  EXPECT_EQ(busy->memory_limit, 67108864);
  EXPECT_EQ(busy->pids, 2);
  // inside: eth0: 4528 18 ... 58394 57 ...  ->  eth0: 5118 19 ... 120914 117 ...
  EXPECT_EQ(busy->rx_bps, 5118 - 4528);
  EXPECT_EQ(busy->tx_bps, 120914 - 58394);
  const auto* agent = find(**second, kAgentV1);
  ASSERT_NE(agent, nullptr);
  EXPECT_EQ(agent->cpu, 0);
  EXPECT_EQ(agent->memory_limit, 0);       // 9223372036854771712
  EXPECT_EQ(agent->rx_bps, std::nullopt);  // the host's network
}

TEST(ContainerProbe, reads_version_2_of_its_own_engine_only) {
  RecordedTree tree{"cgroup_v2"};  // systemd driver; beside it ssh.service and another Engine's m2.slice
  auto probe = ContainerProbe::create(tree.root());
  ASSERT_TRUE(probe);
  std::string buffer;
  ASSERT_TRUE(probe->step(seconds{0}, buffer));
  tree.advance();
  const auto uses = probe->step(seconds{1}, buffer);
  ASSERT_TRUE(uses);
  ASSERT_EQ((*uses)->size(), 2u);
  const auto* agent = find(**uses, kAgentV2);
  ASSERT_NE(agent, nullptr);
  EXPECT_NEAR(agent->cpu, 0.15, 1e-9);  // usage_usec 910000 -> 911500
  EXPECT_EQ(agent->memory_limit, 67108864);
  EXPECT_EQ(agent->rx_bps, std::nullopt);
  const auto* service = find(**uses, kServiceV2);
  ASSERT_NE(service, nullptr);
  EXPECT_NEAR(service->cpu, 25.0, 1e-9);                   // usage_usec 5000000 -> 5250000
  EXPECT_NEAR(service->throttled, 12.0, 1e-9);             // throttled_usec 1200000 -> 1320000
  EXPECT_EQ(service->memory, 61865984 + 4096 - 10485760);  // memory.current - inactive_file
  EXPECT_EQ(service->memory_limit, 0);                     // max
  EXPECT_EQ(service->pids, 12);
  EXPECT_EQ(service->rx_bps, 305);  // eth0 10 -> 310 and eth1 0 -> 5; lo does not count
  EXPECT_EQ(service->tx_bps, 406);
}

TEST(ContainerProbe, forgets_what_ended_and_meets_what_is_new) {
  RecordedTree tree{"cgroup_v2"};
  auto probe = ContainerProbe::create(tree.root());
  ASSERT_TRUE(probe);
  std::string buffer;
  ASSERT_TRUE(probe->step(seconds{0}, buffer));
  const auto group = [](const std::string& id) {
    return "sys/fs/cgroup/system.slice/docker-" + id + ".scope/";
  };
  const std::string fresh(64, 'b');
  for (const auto* file :
       {"cpu.stat", "memory.current", "memory.stat", "memory.max", "pids.current", "cgroup.procs"})
    std::filesystem::create_directories(tree.root() / group(fresh)),
        std::filesystem::copy_file(tree.root() / (group(kServiceV2) + file),
                                   tree.root() / (group(fresh) + file));
  tree.remove(group(kServiceV2));
  const auto second = probe->step(seconds{1}, buffer);
  ASSERT_TRUE(second);
  ASSERT_EQ((*second)->size(), 1u);
  EXPECT_EQ((**second)[0].id, kAgentV2);
  const auto third = probe->step(seconds{1}, buffer);
  ASSERT_TRUE(third);
  EXPECT_EQ((*third)->size(), 2u);
  EXPECT_NE(find(**third, fresh), nullptr);
}

TEST(ContainerProbe, does_without_a_memory_controller) {
  for (const auto* name : {"cgroup_v1", "cgroup_v2"}) {
    RecordedTree tree{name};
    for (const auto& entry : std::filesystem::recursive_directory_iterator{tree.root() / "sys/fs/cgroup"})
      if (entry.path().filename().native().starts_with("memory.")) std::filesystem::remove(entry.path());
    auto probe = ContainerProbe::create(tree.root());
    ASSERT_TRUE(probe);
    std::string buffer;
    ASSERT_TRUE(probe->step(seconds{0}, buffer));
    const auto uses = probe->step(seconds{1}, buffer);
    ASSERT_TRUE(uses);
    ASSERT_EQ((*uses)->size(), 2u) << name;
    EXPECT_EQ((**uses)[0].memory, 0);
    EXPECT_GT((**uses)[0].pids, 0);
  }
}

TEST(ContainerProbe, finds_joint_controllers_below_their_joint_name) {
  RecordedTree tree{"cgroup_v1"};
  const auto base = tree.root() / "sys/fs/cgroup";
  std::filesystem::rename(base / "cpuacct", base / "cpu,cpuacct");
  tree.write("proc/self/cgroup", "4:cpu,cpuacct:/docker/" + kAgentV1 + "\n3:memory:/docker/" + kAgentV1 +
                                     "\n2:pids:/docker/" + kAgentV1 + "\n0::/\n");
  const auto place = find_cgroup_place(tree.root());
  ASSERT_TRUE(place);
  EXPECT_EQ(place->cpuacct, base / "cpu,cpuacct/docker");
  EXPECT_EQ(place->cpu, base / "cpu,cpuacct/docker");
  EXPECT_EQ(place->memory, base / "memory/docker");
}

TEST(ContainerProbe, says_what_is_wrong_in_a_private_cgroup_namespace) {
  RecordedTree tree{"cgroup_v2"};
  tree.write("proc/self/cgroup", "0::/\n");
  const auto probe = ContainerProbe::create(tree.root());
  ASSERT_FALSE(probe);
  EXPECT_EQ(probe.error().code, "agent.cgroup_namespace");
}

TEST(MemoryLimit, is_none_for_max_and_for_the_huge_number) {
  EXPECT_EQ(parse_memory_limit("max\n"), 0);
  EXPECT_EQ(parse_memory_limit("9223372036854771712\n"), 0);
  EXPECT_EQ(parse_memory_limit("268435456\n"), 268435456);
}

TEST(WorkingSet, is_never_negative) {
  EXPECT_EQ(working_set(100, 30), 70);
  EXPECT_EQ(working_set(100, 130), 0);
}

}  // namespace
}  // namespace slipway::machine_agent
