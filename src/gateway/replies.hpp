#pragma once

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "base/result.hpp"
#include "gateway/world.hpp"
#include "ports/request_loop.hpp"

namespace slipway::gateway {

/// Sends a request message and waits for the reply with the same request id on the owner's reply topic. Any
/// thread may call.
class Replies {
 public:
  explicit Replies(World& world);
  ~Replies();
  Replies(const Replies&) = delete;  // the reader's handler has its address
  Replies& operator=(const Replies&) = delete;

  /// The reply's JSON. kUnavailable kafka.unreachable; kUnknown request.unanswered when the deadline passed:
  /// the request is on Kafka and will have its effect later.
  Result<std::string> ask(const ports::Outgoing& request, const std::string& request_id);
  /// Every waiting and later call ends at once: server.stopping.
  void stop();

 private:
  struct Waiting {
    std::string topic_prefix;
    std::string reply;
    bool answered = false;
  };
  void take(const ports::Record& record);

  World& world_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::multimap<std::string, std::shared_ptr<Waiting>> waiting_;  ///< by request id
  bool stopped_ = false;
  ports::TopicReader reader_;  // last: its thread calls take()
};

}  // namespace slipway::gateway
