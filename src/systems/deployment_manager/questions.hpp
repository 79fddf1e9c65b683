#pragma once

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>

#include "messages/machine.hpp"
#include "messages/placement.hpp"
#include "messages/sensor.hpp"
#include "ports/request_loop.hpp"
#include "systems/deployment_manager/world.hpp"

namespace slipway::deployment_manager {

/// Asks the other managers through Kafka and waits for their answers, told apart by correlation id
/// ("<request_id>:<epoch>"): answers to an earlier epoch are ignored. Any thread may ask.
class Questions {
 public:
  explicit Questions(World& world);

  /// The reply to a PlacementRequest, SensorRequest or MachineRequest. Asks again every few seconds until it
  /// comes; `<system>.no_reply` (kUnavailable) after `patience`, `<system>.bad_reply` (kUnavailable) for one
  /// that breaks its contract.
  template <class Request>
  auto ask(const Request& request, std::chrono::seconds patience, const std::stop_token& stop) {
    const auto [question, parse] = about(request);
    const auto answer = answer_to(question, messages::to_json(request), patience, stop);
    auto reply = answer ? parse(*answer) : answer.error();
    if (answer && !reply) reply = bad_answer(question.system, reply.error());
    return reply;
  }

 private:
  struct Question {
    std::string system, topic, type, key, correlation_id;
  };
  // With the function that reads the answer.
  template <class Reply>
  using About = std::pair<Question, Result<Reply> (*)(std::string_view)>;
  About<messages::PlacementReply> about(const messages::PlacementRequest& request) const;
  About<messages::SensorReply> about(const messages::SensorRequest& request) const;
  About<messages::MachineReply> about(const messages::MachineRequest& request) const;

  static Error bad_answer(const std::string& system, const Error& why);
  Result<std::string> answer_to(const Question& question, const std::string& value,
                                std::chrono::seconds patience, const std::stop_token& stop);
  void hear(const ports::Record& record);

  World& world_;
  std::mutex mutex_;
  std::condition_variable_any heard_;
  std::map<std::string, std::optional<std::string>> answers_;  // by topic/correlation id; guarded by mutex_
  ports::TopicReader reader_;                                  // last: its handler uses all the others
};

}  // namespace slipway::deployment_manager
