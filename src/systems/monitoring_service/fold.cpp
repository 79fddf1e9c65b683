#include "systems/monitoring_service/fold.hpp"

#include "ports/stores/codec.hpp"

namespace slipway::monitoring_service {
namespace {

using messages::ContainerSample;
using messages::MachineSample;
using ports::Columns;

double real(std::int64_t value) {
  return static_cast<double>(value);
}

void fold_lists(const MachineSample& sample, Columns& columns) {
  for (const auto& fs : sample.fs) {
    const std::string prefix = "fs." + ports::codec::escape_key(fs.mount) + ".";
    columns.set(prefix + "total", real(fs.total));
    columns.set(prefix + "used", real(fs.used));
    columns.set(prefix + "inodes_used", fs.inodes_used);
  }
  for (const auto& net : sample.net) {
    const std::string prefix = "net." + ports::codec::escape_key(net.name) + ".";
    columns.set(prefix + "rx_bps", net.rx_bps);
    columns.set(prefix + "tx_bps", net.tx_bps);
  }
}

}  // namespace

bool fold_machine(const MachineSample& sample, Columns& columns) {
  if (!columns.add_row(sample.boot_id, sample.seq, sample.t)) return false;
  columns.set("cpu.used", sample.cpu.used);
  columns.set("cpu.user", sample.cpu.user);
  columns.set("cpu.system", sample.cpu.system);
  columns.set("cpu.iowait", sample.cpu.iowait);
  columns.set("cpu.steal", sample.cpu.steal);
  columns.set("cpu.cores", sample.cpu.cores);
  columns.set("load.1", sample.load[0]);
  columns.set("load.5", sample.load[1]);
  columns.set("load.15", sample.load[2]);
  columns.set("mem.total", real(sample.mem.total));
  columns.set("mem.available", real(sample.mem.available));
  columns.set("mem.cached", real(sample.mem.cached));
  columns.set("mem.swap_used", real(sample.mem.swap_used));
  if (sample.psi) {
    columns.set("psi.cpu", sample.psi->cpu);
    columns.set("psi.mem", sample.psi->mem);
    columns.set("psi.io", sample.psi->io);
  }
  columns.set("disk.read_bps", sample.disk.read_bps);
  columns.set("disk.write_bps", sample.disk.write_bps);
  columns.set("disk.busy", sample.disk.busy);
  if (sample.temp) columns.set("temp", *sample.temp);
  columns.set("uptime_s", sample.uptime_s);
  columns.set("dropped", real(sample.dropped));
  fold_lists(sample, columns);
  return true;
}

bool fold_container(const MachineSample& sample, const ContainerSample& container, Columns& columns) {
  if (!columns.add_row(sample.boot_id, sample.seq, sample.t)) return false;
  columns.set("cpu", container.cpu);
  columns.set("mem", real(container.mem));
  columns.set("mem_limit", real(container.mem_limit));
  columns.set("pids", real(container.pids));
  columns.set("throttled", container.throttled);
  if (container.rx_bps) columns.set("rx_bps", *container.rx_bps);
  if (container.tx_bps) columns.set("tx_bps", *container.tx_bps);
  return true;
}

bool fold_others(const MachineSample& sample, const std::vector<const ContainerSample*>& containers,
                 Columns& columns) {
  if (!columns.add_row(sample.boot_id, sample.seq, sample.t)) return false;
  ContainerSample sum;
  double rx = 0, tx = 0;
  for (const auto* container : containers) {
    sum.cpu += container->cpu;
    sum.mem += container->mem;
    sum.pids += container->pids;
    rx += container->rx_bps.value_or(0);
    tx += container->tx_bps.value_or(0);
  }
  columns.set("containers", static_cast<double>(containers.size()));
  columns.set("cpu", sum.cpu);
  columns.set("mem", real(sum.mem));
  columns.set("pids", real(sum.pids));
  columns.set("rx_bps", rx);
  columns.set("tx_bps", tx);
  return true;
}

}  // namespace slipway::monitoring_service
