#pragma once

#include <atomic>
#include <list>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>

#include "base/thread.hpp"
#include "gateway/router.hpp"
#include "gateway/world.hpp"

namespace slipway::gateway {

/// A service's log lines, read from its Engine on demand; of one that failed, from its failure package.
/// Following goes over to the next container when a release changes. Each follower has a thread.
class Logs {
 public:
  explicit Logs(World& world) : world_(world) {}
  Logs(const Logs&) = delete;  // followers have its address
  Logs& operator=(const Logs&) = delete;
  ~Logs();
  void add_route(Router& router);

 private:
  struct Source {  ///< where lines come from
    std::string container_id, container_name, machine;
    std::shared_ptr<ports::Engine> engine;
  };
  struct Follower {
    std::stop_source stop;
    std::atomic<bool> done = false;
    std::unique_ptr<Worker> worker;
  };
  Result<ports::HttpReply> answer(const ports::HttpRequest& request, const Params& params);
  Result<ports::HttpReply> follow(const std::string& service, std::size_t tail);
  Result<Source> find_source(const std::string& service);
  Result<ports::HttpReply> from_failure(const std::string& service, std::size_t tail, Error otherwise);
  void run(const std::string& service, std::size_t tail, const std::shared_ptr<ports::HttpStream>& stream,
           const std::stop_token& stop);
  void tidy();

  World& world_;
  std::mutex mutex_;
  std::list<std::shared_ptr<Follower>> followers_;
};

}  // namespace slipway::gateway
