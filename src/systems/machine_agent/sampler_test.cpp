#include "systems/machine_agent/sampler.hpp"

#include <gtest/gtest.h>

#include "systems/machine_agent/probes/recorded_tree.hpp"

namespace slipway::machine_agent {
namespace {

TEST(Sampler, makes_numbered_samples_of_all_probes) {
  RecordedTree tree{"cgroup_v1"};
  tree.write("proc/sys/kernel/random/boot_id", "c0ffee00-1111-4222-8333-444455556666\n");
  Sampler sampler{tree.root(), {"edge-1", "b1c2", "0.1.0"}, {{"/", "/"}}, Log::silent()};
  ManualClock clock;
  EXPECT_EQ(sampler.step(clock.now(), clock.mono(), 0), nullptr);
  tree.advance();
  clock.advance(milliseconds{1000});
  const auto* sample = sampler.step(clock.now(), clock.mono(), 3);
  ASSERT_NE(sample, nullptr);
  EXPECT_EQ(sample->machine, "edge-1");
  EXPECT_EQ(sample->boot_id, "b1c2");
  EXPECT_EQ(sample->agent, "0.1.0");
  EXPECT_EQ(sample->host_boot, "c0ffee00-1111-4222-8333-444455556666");
  EXPECT_EQ(sample->seq, 1);
  EXPECT_EQ(sample->t, to_ms(clock.now()));
  EXPECT_EQ(sample->interval_ms, 1000);
  EXPECT_EQ(sample->dropped, 3);
  EXPECT_NEAR(sample->cpu.used, 100.0 * 97 / 199, 1e-9);
  EXPECT_EQ(sample->mem.total, 24684084LL * 1024);
  EXPECT_EQ(sample->load[0], 0.64);  // 0.64 0.44 0.25 2/391 22097
  EXPECT_EQ(sample->uptime_s, 1301.82);
  ASSERT_TRUE(sample->psi);
  EXPECT_EQ(sample->psi->cpu, 44.23);
  EXPECT_EQ(sample->disk.write_bps, 512.0 * 192);
  ASSERT_EQ(sample->net.size(), 1u);
  EXPECT_EQ(sample->net[0].name, "eth0");
  ASSERT_EQ(sample->fs.size(), 1u);
  EXPECT_EQ(sample->containers.size(), 2u);
  EXPECT_FALSE(sample->temp);
  clock.advance(milliseconds{2000});
  sample = sampler.step(clock.now(), clock.mono(), 3);
  ASSERT_NE(sample, nullptr);
  EXPECT_EQ(sample->seq, 2);
  EXPECT_EQ(sample->interval_ms, 2000);
}

TEST(Sampler, goes_on_when_a_probe_fails) {
  RecordedTree tree{"cgroup_v2"};  // has containers and a network, but no /proc/stat and the like
  Sampler sampler{tree.root(), {"edge-1", "b1c2", "0.1.0"}, {}, Log::silent()};
  ManualClock clock;
  sampler.step(clock.now(), clock.mono(), 0);
  tree.advance();
  clock.advance(milliseconds{1000});
  const auto* sample = sampler.step(clock.now(), clock.mono(), 0);
  ASSERT_NE(sample, nullptr);
  EXPECT_EQ(sample->cpu.cores, 0);
  EXPECT_EQ(sample->mem.total, 0);
  EXPECT_EQ(sample->containers.size(), 2u);
}

}  // namespace
}  // namespace slipway::machine_agent
