#pragma once

#include <functional>
#include <stop_token>
#include <thread>
#include <utility>

namespace slipway {

/// Runs `body` on a thread of its own for as long as it lives; the destructor asks it to stop and waits.
/// Must be the LAST member of its owner: the body may use all the others.
class Worker {
 public:
  explicit Worker(std::function<void(std::stop_token)> body) : thread_(std::move(body)) {}
  Worker(const Worker&) = delete;  // the body has captured addresses
  Worker& operator=(const Worker&) = delete;
  ~Worker() { stop(); }
  void stop() noexcept {
    thread_.request_stop();
    if (thread_.joinable() && thread_.get_id() != std::this_thread::get_id()) thread_.join();
  }

 private:
  std::jthread thread_;
};

}  // namespace slipway
