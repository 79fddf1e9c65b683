#include "systems/machine_agent/probes/disk.hpp"

#include <algorithm>

#include "systems/machine_agent/probes/scan.hpp"

namespace slipway::machine_agent {
namespace {

constexpr double kSectorBytes = 512;

double seconds(std::chrono::nanoseconds elapsed) {
  return std::chrono::duration<double>(elapsed).count();
}

}  // namespace

Result<DiskCounters> parse_disk_line(std::string_view line, std::string_view& name) {
  Scan words{line};
  DiskCounters counters;
  const bool numbers = words.skip(2);
  const auto found = words.word();
  if (!numbers || !found) return internal_error("probe.format", "/proc/diskstats: no device name in a line");
  name = *found;
  words.skip(2);  // reads completed, merged
  const auto read = words.number();
  words.skip(3);  // ms reading, writes completed, merged
  const auto written = words.number();
  words.skip(2);  // ms writing, in flight
  const auto busy = words.number();
  if (!read || !written || !busy)
    return internal_error("probe.format", "/proc/diskstats: fewer than ten counters");
  counters.sectors_read = *read;
  counters.sectors_written = *written;
  counters.busy_ms = *busy;
  return counters;
}

DiskProbe::DiskProbe(std::filesystem::path root) : root_(std::move(root)), file_(root_ / "proc/diskstats") {}

Result<std::optional<DiskUse>> DiskProbe::step(std::chrono::nanoseconds elapsed, std::string& buffer) {
  SLIPWAY_ASSIGN(const auto text, file_.read(buffer));
  DiskUse use;
  Scan lines{text};
  std::size_t position = 0;
  while (const auto line = lines.line()) {
    std::string_view name;
    SLIPWAY_ASSIGN(const auto now, parse_disk_line(*line, name));
    auto& known = device(name, position++);
    if (!known.physical) continue;
    if (known.last && elapsed.count() > 0) {
      use.read_bps += kSectorBytes * growth(known.last->sectors_read, now.sectors_read) / seconds(elapsed);
      use.write_bps +=
          kSectorBytes * growth(known.last->sectors_written, now.sectors_written) / seconds(elapsed);
      const auto busy = growth(known.last->busy_ms, now.busy_ms) / (10.0 * seconds(elapsed));
      use.busy = std::max(use.busy, std::min(busy, 100.0));
    }
    known.last = now;
  }
  if (std::exchange(first_, false)) return std::nullopt;
  return use;
}

DiskProbe::Device& DiskProbe::device(std::string_view name, std::size_t hint) {
  if (hint < devices_.size() && devices_[hint].name == name) return devices_[hint];
  const auto found = std::ranges::find(devices_, name, &Device::name);
  if (found != devices_.end()) return *found;
  return devices_.emplace_back(Device{std::string{name}, is_physical(name), std::nullopt});
}

// Whole disks are entries of /sys/block; stacked and made-up ones link below devices/virtual/block (a
// multipath NVMe disk, which is real, links below devices/virtual/nvme-subsystem).
bool DiskProbe::is_physical(std::string_view name) const {
  std::error_code failure;
  const auto link = std::filesystem::read_symlink(root_ / "sys/block" / name, failure);
  return !failure && link.native().find("/virtual/block/") == std::string::npos;
}

}  // namespace slipway::machine_agent
