#include <gtest/gtest.h>

#include <chrono>

#include "systems/machine_agent/probes/cpu.hpp"
#include "systems/machine_agent/probes/disk.hpp"
#include "systems/machine_agent/probes/filesystem.hpp"
#include "systems/machine_agent/probes/load.hpp"
#include "systems/machine_agent/probes/memory.hpp"
#include "systems/machine_agent/probes/network.hpp"
#include "systems/machine_agent/probes/recorded_tree.hpp"
#include "systems/machine_agent/probes/scan.hpp"
#include "systems/machine_agent/probes/temperature.hpp"

namespace slipway::machine_agent {
namespace {

using std::chrono::seconds;

TEST(Scan, reads_words_numbers_and_lines) {
  Scan scan{"  alpha 12\n3.5\tx 99999999999999999999 -1"};
  EXPECT_EQ(scan.word(), "alpha");
  EXPECT_EQ(scan.number(), 12u);
  EXPECT_EQ(scan.decimal(), 3.5);
  EXPECT_EQ(scan.number(), std::nullopt);  // x
  EXPECT_EQ(scan.number(), std::nullopt);  // too large
  EXPECT_EQ(scan.number(), std::nullopt);  // negative
  EXPECT_EQ(scan.word(), std::nullopt);
  Scan lines{"a\n\nb"};
  EXPECT_EQ(lines.line(), "a");
  EXPECT_EQ(lines.line(), "");
  EXPECT_EQ(lines.line(), "b");
  EXPECT_EQ(lines.line(), std::nullopt);
}

TEST(Scan, finds_a_number_by_its_whole_key) {
  const auto text = "inactive_file_x 1\ninactive_file 7\n";
  EXPECT_EQ(find_number(text, "inactive_file"), 7u);
  EXPECT_EQ(find_number(text, "inactive"), std::nullopt);
}

TEST(Cpu, says_what_share_of_all_cores_was_used) {
  // cpu  19918 0 8976 228242 1291 0 246 27 0 0
  // cpu  19984 0 9006 228332 1303 0 247 27 0 0   -> 66 user, 30 system, 90 idle, 12 iowait, 1 softirq: 199
  // ticks
  RecordedTree tree{"cgroup_v1"};
  CpuProbe probe{tree.root()};
  std::string buffer;
  const auto first = probe.step(buffer);
  ASSERT_TRUE(first);
  EXPECT_FALSE(*first);
  tree.advance();
  const auto second = probe.step(buffer);
  ASSERT_TRUE(second && *second);
  const auto& use = **second;
  EXPECT_EQ(use.cores, 2);
  EXPECT_NEAR(use.user, 100.0 * 66 / 199, 1e-9);
  EXPECT_NEAR(use.system, 100.0 * 31 / 199, 1e-9);
  EXPECT_NEAR(use.iowait, 100.0 * 12 / 199, 1e-9);
  EXPECT_NEAR(use.used, 100.0 * 97 / 199, 1e-9);
  EXPECT_EQ(use.steal, 0);
}

TEST(Cpu, takes_an_idle_counter_that_steps_back_as_standing_still) {
  const auto before = parse_cpu("cpu  100 0 50 1000 20 0 0 0 0 0\ncpu0 1 1 1 1\n");
  const auto after = parse_cpu("cpu  110 0 50 1090 19 0 0 0 0 0\ncpu0 1 1 1 1\n");
  ASSERT_TRUE(before && after);
  const auto use = cpu_use(*before, *after);
  EXPECT_NEAR(use.used, 10.0, 1e-9);
  EXPECT_EQ(use.iowait, 0);
  EXPECT_EQ(cpu_use(*before, *before).used, 0);
}

TEST(Cpu, refuses_what_is_no_stat_file) {
  EXPECT_FALSE(parse_cpu(""));
  EXPECT_FALSE(parse_cpu("intr 1 2 3 4\n"));
  EXPECT_FALSE(parse_cpu("cpu  1 2 three 4\n"));
}

TEST(Memory, reads_meminfo) {
  // MemTotal: 24684084 kB, MemAvailable: 23468264 kB, Buffers: 10348 kB, Cached: 537936 kB, SReclaimable:
  // 279072 kB
  RecordedTree tree{"cgroup_v1"};
  std::string buffer;
  const auto use = MemoryProbe{tree.root()}.step(buffer);
  ASSERT_TRUE(use);
  EXPECT_EQ(use->total, 24684084LL * 1024);
  EXPECT_EQ(use->available, 23468264LL * 1024);
  EXPECT_EQ(use->cached, (10348LL + 537936 + 279072) * 1024);
  EXPECT_EQ(use->swap_used, 0);
}

TEST(Memory, reckons_what_is_available_where_the_kernel_does_not_say) {
  const auto use = parse_memory(
      "MemTotal: 100 kB\nMemFree: 10 kB\nBuffers: 2 kB\nCached: 30 kB\n"
      "SwapTotal: 50 kB\nSwapFree: 45 kB\n");
  ASSERT_TRUE(use);
  EXPECT_EQ(use->available, 42 * 1024);
  EXPECT_EQ(use->swap_used, 5 * 1024);
  EXPECT_FALSE(parse_memory("MemFree: 10 kB\n"));
}

TEST(Load, reads_load_uptime_and_pressure) {
  // 0.35 0.38 0.23 2/391 22011;  1300.82 2282.42;  cpu: some avg10=44.23, io: some avg10=0.54, memory: some
  // avg10=0.00
  RecordedTree tree{"cgroup_v1"};
  LoadProbe probe{tree.root()};
  std::string buffer;
  EXPECT_EQ(probe.load(buffer), (Load{0.35, 0.38, 0.23}));
  EXPECT_EQ(probe.uptime(buffer), 1300.82);
  const auto pressure = probe.pressure(buffer);
  ASSERT_TRUE(pressure && *pressure);
  EXPECT_EQ((*pressure)->cpu, 44.23);
  EXPECT_EQ((*pressure)->io, 0.54);
  EXPECT_EQ((*pressure)->mem, 0);
}

TEST(Load, leaves_pressure_out_where_the_kernel_has_none) {
  RecordedTree tree{"cgroup_v1"};
  tree.remove("proc/pressure");
  LoadProbe probe{tree.root()};
  std::string buffer;
  const auto pressure = probe.pressure(buffer);
  ASSERT_TRUE(pressure);
  EXPECT_FALSE(*pressure);
}

TEST(Disk, adds_up_whole_physical_disks) {
  //  254       0 vda 156358 47639 9530698 76566 95060 63985 7896800 31558 0 23496 110072 ...
  //  254       0 vda 156860 47719 9917930 77967 95091 63985 7896992 31561 0 23680 111480 ...
  RecordedTree tree{"cgroup_v1"};
  DiskProbe probe{tree.root()};
  std::string buffer;
  const auto first = probe.step(seconds{0}, buffer);
  ASSERT_TRUE(first);
  EXPECT_FALSE(*first);
  tree.advance();
  const auto second = probe.step(seconds{1}, buffer);
  ASSERT_TRUE(second && *second);
  EXPECT_EQ((*second)->read_bps, 512.0 * (9917930 - 9530698));
  EXPECT_EQ((*second)->write_bps, 512.0 * (7896992 - 7896800));
  EXPECT_NEAR((*second)->busy, 18.4, 1e-9);  // 23680 - 23496 = 184 ms
}

TEST(Disk, does_not_count_partitions_and_stacked_devices_twice) {
  RecordedTree tree{"cgroup_v1"};
  const auto line = [](const char* name, int sectors) {
    return "8 0 " + std::string{name} + " 1 1 " + std::to_string(sectors) + " 1 1 1 0 1 0 0 1\n";
  };
  const auto text = [&](int sectors) {
    return line("vda", sectors) + line("vda1", sectors) + line("dm-0", sectors) + line("loop0", sectors);
  };
  std::filesystem::create_symlink("../devices/virtual/block/dm-0", tree.root() / "sys/block/dm-0");
  DiskProbe probe{tree.root()};
  std::string buffer;
  tree.write("proc/diskstats", text(0));
  ASSERT_TRUE(probe.step(seconds{0}, buffer));
  tree.write("proc/diskstats", text(10));
  const auto use = probe.step(seconds{1}, buffer);
  ASSERT_TRUE(use && *use);
  EXPECT_EQ((*use)->read_bps, 10 * 512.0);
}

TEST(Disk, refuses_a_line_without_counters) {
  std::string_view name;
  EXPECT_FALSE(parse_disk_line("8 0", name));
  EXPECT_FALSE(parse_disk_line("8 0 sda 1 2 3", name));
}

TEST(Filesystem, measures_and_names_the_mount_by_its_device) {
  FilesystemProbe probe{"/", {{"/data", "/"}, {"", "/proc/version"}, {"/gone", "/no/such/path"}}};
  const auto& uses = probe.step();
  ASSERT_FALSE(uses.empty());
  EXPECT_EQ(uses[0].mount, "/data");
  EXPECT_GT(uses[0].total, uses[0].used);
  EXPECT_GT(uses[0].used, 0);
  for (const auto& use : uses) EXPECT_NE(use.mount, "/gone");
}

TEST(Filesystem, finds_the_mount_of_a_whole_file_system) {
  const std::string table =
      "42 27 254:0 /var/lib/docker /var/lib/docker rw,relatime shared:1 - ext4 /dev/vda rw\n"
      "27 1 254:0 / / rw,relatime - ext4 /dev/vda rw,discard\n"
      "28 27 254:16 / /data rw,relatime - xfs /dev/vdb rw\n";
  EXPECT_EQ(find_mount(table, 254, 0), "/");
  EXPECT_EQ(find_mount(table, 254, 16), "/data");
  EXPECT_EQ(find_mount(table, 8, 1), "");
}

TEST(Network, reports_the_physical_interface_alone) {
  RecordedTree tree{"cgroup_v1"};
  NetworkProbe probe{tree.root()};
  std::string buffer;
  const auto first = probe.step(seconds{0}, buffer);
  ASSERT_TRUE(first);
  EXPECT_TRUE((*first)->empty());
  // eth0: 603874811 ... 953257;  docker0, the slipway bridges, ifb and a container's veth are there too
  tree.advance();
  tree.write("proc/self/net/dev",
             "  eth0: 603875811 1 0 0 0 0 0 0 953757 1 0 0 0 0 0 0\n"
             "veth06320b8: 999999 1 0 0 0 0 0 0 999999 1 0 0 0 0 0 0\n");
  const auto second = probe.step(seconds{2}, buffer);
  ASSERT_TRUE(second);
  ASSERT_EQ((*second)->size(), 1u);
  EXPECT_EQ((**second)[0].name, "eth0");
  EXPECT_EQ((**second)[0].rx_bps, 500);
  EXPECT_EQ((**second)[0].tx_bps, 250);
}

TEST(Network, takes_a_namespace_machines_own_veth_but_not_those_of_its_containers) {
  RecordedTree tree{"cgroup_v1"};
  tree.remove("sys/class/net/eth0/device");
  NetworkProbe probe{tree.root()};
  const auto text = [](int bytes) {
    std::string all;
    for (const auto* name : {"lo", "eth0", "docker0", "veth06320b8"})
      all += std::string{name} + ": " + std::to_string(bytes) + " 1 0 0 0 0 0 0 " + std::to_string(bytes) +
             " 0\n";
    return all;
  };
  std::string buffer;
  tree.write("proc/self/net/dev", text(0));
  ASSERT_TRUE(probe.step(seconds{0}, buffer));
  tree.write("proc/self/net/dev", text(70));
  const auto uses = probe.step(seconds{1}, buffer);
  ASSERT_TRUE(uses);
  ASSERT_EQ((*uses)->size(), 1u);
  EXPECT_EQ((**uses)[0].name, "eth0");
  EXPECT_EQ((**uses)[0].rx_bps, 70);
}

TEST(Network, shows_no_rate_for_an_interface_that_was_made_anew) {
  RecordedTree tree{"cgroup_v1"};
  NetworkProbe probe{tree.root()};
  std::string buffer;
  ASSERT_TRUE(probe.step(seconds{0}, buffer));
  tree.write("proc/self/net/dev", "  eth0: 5 1 0 0 0 0 0 0 5 1 0 0 0 0 0 0\n");
  const auto uses = probe.step(seconds{1}, buffer);
  ASSERT_TRUE(uses && (*uses)->size() == 1);
  EXPECT_EQ((**uses)[0].rx_bps, 0);  // its counter is lower than before
}

TEST(Temperature, takes_the_hottest_zone) {
  RecordedTree tree{"cgroup_v2"};
  std::string buffer;
  EXPECT_EQ(TemperatureProbe{tree.root()}.step(buffer), std::nullopt);
  tree.write("sys/class/thermal/thermal_zone0/temp", "41000\n");
  tree.write("sys/class/thermal/thermal_zone1/temp", "52500\n");
  EXPECT_EQ(TemperatureProbe{tree.root()}.step(buffer), 52.5);
}

TEST(KeptFile, sees_new_text_and_long_text) {
  RecordedTree tree{"cgroup_v2"};
  tree.write("some", "one");
  KeptFile file{tree.root() / "some"};
  std::string buffer;
  EXPECT_EQ(file.read(buffer), "one");
  const std::string text(100'000, 'x');
  tree.write("some", text);
  EXPECT_EQ(file.read(buffer), text);
  KeptFile missing{tree.root() / "missing"};
  const auto failure = missing.read(buffer);
  ASSERT_FALSE(failure);
  EXPECT_EQ(failure.error().kind, ErrorKind::kNotFound);
}

}  // namespace
}  // namespace slipway::machine_agent
