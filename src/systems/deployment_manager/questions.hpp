#pragma once

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>

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

  /// Each asks again every few seconds until the answer comes; `<system>.no_reply` (kUnavailable) after
  /// `patience`.
  Result<messages::PlacementReply> ask(const messages::PlacementRequest& request,
                                       std::chrono::seconds patience, const std::stop_token& stop);
  Result<messages::SensorReply> ask(const messages::SensorRequest& request, std::chrono::seconds patience,
                                    const std::stop_token& stop);
  Result<messages::MachineReply> ask(const messages::MachineRequest& request, std::chrono::seconds patience,
                                     const std::stop_token& stop);

 private:
  struct Question {
    std::string topic, key, value, type, correlation_id, system;
  };
  Result<std::string> ask(const Question& question, std::chrono::seconds patience,
                          const std::stop_token& stop);
  void hear(const ports::Record& record);

  World& world_;
  std::mutex mutex_;
  std::condition_variable_any heard_;
  std::map<std::string, std::optional<std::string>> answers_;  // by topic/correlation id; guarded by mutex_
  ports::TopicReader reader_;                                  // last: its handler uses all the others
};

}  // namespace slipway::deployment_manager
