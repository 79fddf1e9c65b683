#pragma once

#include <list>
#include <memory>
#include <mutex>
#include <vector>

#include "base/thread.hpp"
#include "gateway/router.hpp"
#include "gateway/subscriber.hpp"
#include "gateway/world.hpp"
#include "ports/request_loop.hpp"

namespace slipway::gateway {

/// The event stream: one reader of Kafka for all clients. A deployment's story is replayed from its document,
/// then goes on live; every two seconds the document is looked at again, so that nothing is missed while
/// Kafka is away.
class Events {
 public:
  explicit Events(World& world);
  Events(const Events&) = delete;  // its threads have its address
  Events& operator=(const Events&) = delete;
  void add_route(Router& router);

 private:
  Result<ports::HttpReply> open(const ports::HttpRequest& request);
  void take(const ports::Record& record);
  void take_message(const ports::Record& record);
  void tend(const std::stop_token& stop);
  void replay(Subscriber& subscriber);
  std::vector<std::shared_ptr<Subscriber>> subscribers();
  void tend_message_reader(bool wanted);

  World& world_;
  std::mutex mutex_;
  std::list<std::shared_ptr<Subscriber>> subscribers_;
  std::mutex reader_mutex_;  ///< guards message_reader_
  std::unique_ptr<ports::TopicReader> message_reader_;
  ports::TopicReader reader_;
  Worker worker_;  // last: uses all the others
};

}  // namespace slipway::gateway
