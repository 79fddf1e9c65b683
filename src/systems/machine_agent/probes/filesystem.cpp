#include "systems/machine_agent/probes/filesystem.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>

#include <optional>

#include "systems/machine_agent/probes/kept_file.hpp"
#include "systems/machine_agent/probes/scan.hpp"

namespace slipway::machine_agent {
namespace {

std::optional<FilesystemUse> measure(const WatchedFilesystem& watched) {
  struct statvfs found{};
  if (::statvfs(watched.path.c_str(), &found) != 0 || found.f_blocks == 0) return std::nullopt;
  FilesystemUse use;
  use.mount = watched.mount;
  use.total = static_cast<std::int64_t>(found.f_blocks * found.f_frsize);
  use.used = static_cast<std::int64_t>((found.f_blocks - found.f_bfree) * found.f_frsize);
  if (found.f_files > 0)
    use.inodes_used =
        100.0 * static_cast<double>(found.f_files - found.f_ffree) / static_cast<double>(found.f_files);
  return use;
}

}  // namespace

// proc(5), /proc/pid/mountinfo: "36 35 98:0 /mnt1 /mnt2 rw,noatime ..." = id, parent, major:minor, root,
// mount point.
std::string find_mount(const std::string& mountinfo, unsigned major, unsigned minor) {
  const auto device = fmt::format("{}:{}", major, minor);
  Scan lines{mountinfo};
  while (const auto line = lines.line()) {
    Scan words{*line};
    words.skip(2);
    if (words.word() != device || words.word() != "/") continue;
    if (const auto mount = words.word()) return std::string{*mount};
  }
  return {};
}

FilesystemProbe::FilesystemProbe(const std::filesystem::path& root, std::vector<WatchedFilesystem> watched)
    : watched_(std::move(watched)) {
  std::string mountinfo, buffer;
  if (const auto text = KeptFile{root / "proc/1/mountinfo"}.read(buffer)) mountinfo = *text;
  for (auto& entry : watched_) {
    struct stat found{};
    if (!entry.mount.empty() || ::stat(entry.path.c_str(), &found) != 0) continue;
    entry.mount = find_mount(mountinfo, ::major(found.st_dev), ::minor(found.st_dev));
    if (entry.mount.empty()) entry.mount = entry.path.native();
  }
}

const std::vector<FilesystemUse>& FilesystemProbe::step() {
  if (calls_++ % kEvery != 0) return uses_;
  uses_.clear();
  for (const auto& entry : watched_)
    if (auto use = measure(entry)) uses_.push_back(*std::move(use));
  return uses_;
}

}  // namespace slipway::machine_agent
