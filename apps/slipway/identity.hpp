#pragma once

#include <string>

#include "base/result.hpp"

namespace slipway {

/// Who this server process is. With a state folder the name is kept there under a lock: holding the lock
/// proves that the predecessor of the same name is dead. Without one the name is random.
class Identity {
 public:
  /// server.already_running (kConflict), naming the pid, if another process holds the lock.
  static Result<Identity> take(const std::string& state_dir);
  Identity(Identity&& other) noexcept;
  Identity& operator=(Identity&&) = delete;  // one lock, one owner
  ~Identity();
  const std::string& name() const { return name_; }

 private:
  Identity(std::string name, int lock_fd) : name_(std::move(name)), lock_fd_(lock_fd) {}
  std::string name_;
  int lock_fd_ = -1;
};

}  // namespace slipway
