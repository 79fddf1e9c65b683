#include "systems/machine_agent/probes/kept_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace slipway::machine_agent {
namespace {

constexpr std::size_t kFirstSize = 4096;
constexpr std::size_t kMostBytes =
    1 << 20;  // no file that is read here comes near; a bound against surprises

Error failed(const char* doing, const std::filesystem::path& path, int error) {
  const auto message = fmt::format("{} {}: {}", doing, path.native(), std::strerror(error));
  if (error == ENOENT || error == ENODEV || error == ENOTDIR) return not_found("probe.not_found", message);
  if (error == EACCES || error == EPERM) return denied("probe.denied", message);
  return unavailable("probe.failed", message);
}

}  // namespace

KeptFile::KeptFile(KeptFile&& other) noexcept
    : path_(std::move(other.path_)), fd_(std::exchange(other.fd_, -1)) {}

KeptFile& KeptFile::operator=(KeptFile&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(fd_, other.fd_);
  return *this;
}

Result<std::string_view> KeptFile::read(std::string& buffer) {
  if (fd_ < 0) fd_ = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd_ < 0) return failed("open", path_, errno);
  if (buffer.size() < kFirstSize) buffer.resize(kFirstSize);
  std::size_t used = 0;
  for (;;) {
    const auto got = ::pread(fd_, buffer.data() + used, buffer.size() - used, static_cast<off_t>(used));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) {
      const auto error = errno;
      close();
      return failed("read", path_, error);
    }
    if (got == 0) return std::string_view{buffer.data(), used};
    used += static_cast<std::size_t>(got);
    if (used < buffer.size()) continue;
    if (used >= kMostBytes) return unavailable("probe.too_long", "read " + path_.native() + ": over 1 MiB");
    buffer.resize(2 * buffer.size());
  }
}

void KeptFile::close() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

}  // namespace slipway::machine_agent
