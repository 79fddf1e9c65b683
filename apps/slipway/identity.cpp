#include "identity.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

#include "base/ids.hpp"

namespace slipway {
namespace {

constexpr std::size_t kMostBytes = 256;

std::string read_all(int fd) {
  char bytes[kMostBytes];
  const auto count = pread(fd, bytes, sizeof(bytes), 0);
  return count > 0 ? std::string(bytes, static_cast<std::size_t>(count)) : std::string{};
}

Error system_error(const std::string& what) {
  return internal_error("server.state_dir", fmt::format("{}: {}", what, std::strerror(errno)),
                        "check state_dir");
}

}  // namespace

// The file holds "<name>\n<pid>\n"; the pid is for people.
Result<Identity> Identity::take(const std::string& state_dir) {
  if (state_dir.empty()) return Identity(make_id("dm-", SystemClock{}.now()), -1);
  std::error_code error;
  std::filesystem::create_directories(state_dir, error);
  const std::string path = state_dir + "/deployer";
  const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return system_error("opening " + path);
  if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
    const std::string content = read_all(fd);
    close(fd);
    const auto line = content.find('\n');
    return conflict(
        "server.already_running",
        fmt::format(
            "another server uses {} (pid {})", state_dir,
            line == std::string::npos ? "unknown" : content.substr(line + 1, content.size() - line - 2)),
        "stop it, or give this one its own state_dir");
  }
  const std::string content = read_all(fd);
  std::string name = content.substr(0, content.find('\n'));
  if (name.empty()) name = make_id("dm-", SystemClock{}.now());
  const std::string now = fmt::format("{}\n{}\n", name, getpid());
  if (ftruncate(fd, 0) != 0 || pwrite(fd, now.data(), now.size(), 0) != static_cast<ssize_t>(now.size()) ||
      fsync(fd) != 0) {
    close(fd);
    return system_error("writing " + path);
  }
  return Identity(std::move(name), fd);
}

Identity::Identity(Identity&& other) noexcept
    : name_(std::move(other.name_)), lock_fd_(std::exchange(other.lock_fd_, -1)) {}

Identity::~Identity() {
  if (lock_fd_ >= 0) close(lock_fd_);
}

}  // namespace slipway
