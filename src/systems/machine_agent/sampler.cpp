#include "systems/machine_agent/sampler.hpp"

#include <array>

#include "systems/machine_agent/probes/container.hpp"
#include "systems/machine_agent/probes/cpu.hpp"
#include "systems/machine_agent/probes/disk.hpp"
#include "systems/machine_agent/probes/load.hpp"
#include "systems/machine_agent/probes/memory.hpp"
#include "systems/machine_agent/probes/network.hpp"
#include "systems/machine_agent/probes/scan.hpp"
#include "systems/machine_agent/probes/temperature.hpp"

namespace slipway::machine_agent {
namespace {

using messages::MachineSample;

std::string read_host_boot(const std::filesystem::path& root) {
  std::string buffer;
  const auto text = KeptFile{root / "proc/sys/kernel/random/boot_id"}.read(buffer);
  return text ? std::string{Scan{*text}.word().value_or("")} : std::string{};
}

// Says once that a probe began to fail, and once that it works again.
class FailureLog {
 public:
  explicit FailureLog(const char* probe) : probe_(probe) {}
  template <class T>
  bool ok(const Result<T>& result, const Log& log) {
    if (result.has_value() == !failing_) return result.has_value();
    failing_ = !result.has_value();
    if (failing_)
      log.warn(std::string{probe_} + ": cannot measure", result.error());
    else
      log.info(std::string{probe_} + ": measures again");
    return !failing_;
  }

 private:
  const char* probe_;
  bool failing_ = false;
};

void fill(MachineSample& sample, const std::vector<ContainerUse>& uses) {
  sample.containers.resize(uses.size());
  for (std::size_t i = 0; i < uses.size(); ++i) {
    auto& out = sample.containers[i];
    out.id = uses[i].id;
    out.cpu = uses[i].cpu;
    out.mem = uses[i].memory;
    out.mem_limit = uses[i].memory_limit;
    out.pids = uses[i].pids;
    out.throttled = uses[i].throttled;
    out.rx_bps = uses[i].rx_bps;
    out.tx_bps = uses[i].tx_bps;
  }
}

void fill(MachineSample& sample, const std::vector<FilesystemUse>& uses) {
  sample.fs.resize(uses.size());
  for (std::size_t i = 0; i < uses.size(); ++i) {
    sample.fs[i].mount = uses[i].mount;
    sample.fs[i].total = uses[i].total;
    sample.fs[i].used = uses[i].used;
    sample.fs[i].inodes_used = uses[i].inodes_used;
  }
}

void fill(MachineSample& sample, const std::vector<InterfaceUse>& uses) {
  sample.net.resize(uses.size());
  for (std::size_t i = 0; i < uses.size(); ++i) {
    sample.net[i].name = uses[i].name;
    sample.net[i].rx_bps = uses[i].rx_bps;
    sample.net[i].tx_bps = uses[i].tx_bps;
  }
}

}  // namespace

struct Sampler::Probes {
  Probes(const std::filesystem::path& root, std::vector<WatchedFilesystem> watched)
      : cpu(root),
        memory(root),
        load(root),
        disk(root),
        network(root),
        filesystems(root, std::move(watched)),
        temperature(root),
        containers(ContainerProbe::create(root)) {}

  void measure(MachineSample& sample, std::chrono::nanoseconds elapsed, const Log& log);
  void measure_load(MachineSample& sample, const Log& log);
  void measure_rates(MachineSample& sample, std::chrono::nanoseconds elapsed, const Log& log);

  CpuProbe cpu;
  MemoryProbe memory;
  LoadProbe load;
  DiskProbe disk;
  NetworkProbe network;
  FilesystemProbe filesystems;
  TemperatureProbe temperature;
  Result<ContainerProbe> containers;
  std::string buffer;
  FailureLog cpu_log{"cpu"}, memory_log{"memory"}, load_log{"load"}, uptime_log{"uptime"},
      pressure_log{"pressure"}, disk_log{"disk"}, network_log{"network"}, containers_log{"containers"};
};

void Sampler::Probes::measure(MachineSample& sample, std::chrono::nanoseconds elapsed, const Log& log) {
  // Counters first and close together, so that all rates are over the same interval.
  measure_rates(sample, elapsed, log);
  measure_load(sample, log);
  fill(sample, filesystems.step());
  sample.temp = temperature.step(buffer);
}

void Sampler::Probes::measure_rates(MachineSample& sample, std::chrono::nanoseconds elapsed, const Log& log) {
  sample.cpu = {};
  const auto cpu_use = cpu.step(buffer);
  if (cpu_log.ok(cpu_use, log) && *cpu_use) {
    const auto& use = **cpu_use;
    sample.cpu = {use.used, use.user, use.system, use.iowait, use.steal, use.cores};
  }
  sample.containers.clear();
  if (containers_log.ok(containers, log)) {
    const auto uses = containers->step(elapsed, buffer);
    if (containers_log.ok(uses, log)) fill(sample, **uses);
  }
  const auto interfaces = network.step(elapsed, buffer);
  sample.net.clear();
  if (network_log.ok(interfaces, log)) fill(sample, **interfaces);
  sample.disk = {};
  const auto disk_use = disk.step(elapsed, buffer);
  if (disk_log.ok(disk_use, log) && *disk_use)
    sample.disk = {(*disk_use)->read_bps, (*disk_use)->write_bps, (*disk_use)->busy};
}

void Sampler::Probes::measure_load(MachineSample& sample, const Log& log) {
  sample.mem = {};
  const auto memory_use = memory.step(buffer);
  if (memory_log.ok(memory_use, log))
    sample.mem = {memory_use->total, memory_use->available, memory_use->cached, memory_use->swap_used};
  const auto averages = load.load(buffer);
  if (load_log.ok(averages, log)) std::copy(averages->begin(), averages->end(), sample.load);
  const auto uptime = load.uptime(buffer);
  if (uptime_log.ok(uptime, log)) sample.uptime_s = *uptime;
  sample.psi.reset();
  const auto pressure = load.pressure(buffer);
  if (pressure_log.ok(pressure, log) && *pressure)
    sample.psi = MachineSample::Pressure{(*pressure)->cpu, (*pressure)->mem, (*pressure)->io};
}

Sampler::Sampler(const std::filesystem::path& root, SampleOrigin origin,
                 std::vector<WatchedFilesystem> filesystems, Log log)
    : probes_(std::make_unique<Probes>(root, std::move(filesystems))), log_(std::move(log)) {
  sample_.machine = std::move(origin.machine);
  sample_.boot_id = std::move(origin.boot_id);
  sample_.agent = std::move(origin.agent);
  sample_.host_boot = read_host_boot(root);
}

Sampler::~Sampler() = default;

const MachineSample* Sampler::step(WallTime now, MonoTime mono, std::int64_t dropped) {
  const auto elapsed = last_ ? mono - *last_ : std::chrono::nanoseconds{0};
  probes_->measure(sample_, elapsed, log_);
  if (!std::exchange(last_, mono)) return nullptr;
  ++sample_.seq;
  sample_.t = to_ms(now);
  sample_.interval_ms = std::chrono::round<milliseconds>(elapsed).count();
  sample_.dropped = dropped;
  return &sample_;
}

}  // namespace slipway::machine_agent
