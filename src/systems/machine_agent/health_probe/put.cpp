#include "systems/machine_agent/health_probe/put.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>

namespace slipway::health_probe {
namespace {

constexpr std::size_t kMostBytes = std::size_t{16} << 20;

Error failed(const std::string& doing, const std::string& path) {
  return unavailable("probe.put", doing + " " + path + ": " + std::strerror(errno));
}

Result<std::string> read_all(int input) {
  std::string content;
  std::array<char, 16 * 1024> chunk;
  for (;;) {
    const auto got = ::read(input, chunk.data(), chunk.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return failed("read", "standard input");
    if (got == 0) return content;
    content.append(chunk.data(), static_cast<std::size_t>(got));
    if (content.size() > kMostBytes) return invalid("probe.put", "more than 16 MiB");
  }
}

Status write_all(int fd, std::string_view content, const std::string& path) {
  while (!content.empty()) {
    const auto written = ::write(fd, content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return failed("write", path);
    content.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

Status fill(int fd, const PutOptions& options, std::string_view content, const std::string& temporary) {
  SLIPWAY_TRY(write_all(fd, content, temporary));
  if (options.owner && ::fchown(fd, options.owner->first, options.owner->second) != 0)
    return failed("change the owner of", temporary);
  if (::fchmod(fd, options.mode) != 0) return failed("change the mode of", temporary);
  if (::fsync(fd) != 0) return failed("sync", temporary);
  return {};
}

Status sync_folder(const std::string& path) {
  const auto slash = path.rfind('/');
  const auto folder = slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
  const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return failed("open", folder);
  const int synced = ::fsync(fd);
  ::close(fd);
  if (synced != 0) return failed("sync", folder);
  return {};
}

}  // namespace

Status put_file(const PutOptions& options, int input) {
  SLIPWAY_ASSIGN(const auto content, read_all(input));
  auto temporary = options.path + ".XXXXXX";
  const int fd = ::mkostemp(temporary.data(), O_CLOEXEC);
  if (fd < 0) return failed("create", temporary);
  auto filled = fill(fd, options, content, temporary);
  if (::close(fd) != 0 && filled) filled = failed("close", temporary);
  if (filled && ::rename(temporary.c_str(), options.path.c_str()) != 0)
    filled = failed("rename to", options.path);
  if (!filled) {
    ::unlink(temporary.c_str());
    return filled;
  }
  return sync_folder(options.path);
}

}  // namespace slipway::health_probe
