#pragma once

#include <functional>
#include <memory>
#include <mutex>

#include "adapters/kafka/client.hpp"
#include "base/clock.hpp"
#include "base/log.hpp"
#include "ports/bus.hpp"

namespace slipway::kafka {

/// The idempotent producer. After a fatal error (the broker lost track of our sequence) it goes on with a new
/// client; what was under way is reported as kUnknown. Any thread may call.
class Producer {
 public:
  static Result<std::unique_ptr<Producer>> create(const KafkaSettings& settings, Clock& clock, Log log);
  ~Producer();
  Producer(const Producer&) = delete;  // callbacks point into it
  Producer& operator=(const Producer&) = delete;

  Status publish_later(const ports::Outgoing& record, std::function<void(Status)> done);

 private:
  class Session;
  Producer(KafkaSettings settings, Clock& clock, Log log);
  Result<std::shared_ptr<Session>> session();

  const KafkaSettings settings_;
  Clock& clock_;
  const Log log_;
  std::mutex mutex_;
  std::shared_ptr<Session> session_;  // shared: a thread may still produce while another replaces it
  // Ended with the producer, not before: the thread that finds a session broken may be that session's own.
  std::vector<std::shared_ptr<Session>> retired_;
};

}  // namespace slipway::kafka
