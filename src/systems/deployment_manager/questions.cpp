#include "systems/deployment_manager/questions.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "messages/strict_json.hpp"

namespace slipway::deployment_manager {
namespace {

constexpr std::chrono::seconds kAskAgain{5};

}  // namespace

Questions::Questions(World& world)
    : world_(world),
      reader_(world.bus, world.clock, world.log,
              {world.topics.placement_replies, world.topics.sensor_replies, world.topics.machine_replies},
              ports::From::kEnd, [this](const ports::Record& record) { hear(record); }) {}

// Whose answer it is, is read first and alone: one that breaks its contract is an answer too, and who asked
// is to hear what is wrong with it.
void Questions::hear(const ports::Record& record) {
  if (!record.value) return;
  const auto value = messages::parse_strict_json(*record.value);
  if (!value || !value->is_object()) return;
  const auto id = value->find("correlation_id");
  if (id == value->end() || !id->is_string()) return;
  std::lock_guard lock(mutex_);
  const auto waiting = answers_.find(record.topic + "/" + id->get<std::string>());
  if (waiting == answers_.end()) return;  // not ours, or nobody waits any more
  waiting->second = record.value;
  heard_.notify_all();
}

Questions::About<messages::PlacementReply> Questions::about(const messages::PlacementRequest& request) const {
  return {{.system = "scheduler",
           .topic = world_.topics.placement_requests,
           .type = "slipway.placement.requested.v1",
           .key = request.service_id,
           .correlation_id = request.correlation_id},
          messages::parse_placement_reply};
}

Questions::About<messages::SensorReply> Questions::about(const messages::SensorRequest& request) const {
  return {{.system = "sensor_manager",
           .topic = world_.topics.sensor_requests,
           .type = "slipway.sensor.requested.v1",
           .key = request.service_id,
           .correlation_id = request.correlation_id},
          messages::parse_sensor_reply};
}

Questions::About<messages::MachineReply> Questions::about(const messages::MachineRequest& request) const {
  return {{.system = "node_manager",
           .topic = world_.topics.machine_requests,
           .type = "slipway.machine.requested.v1",
           .key = request.machine,
           .correlation_id = request.correlation_id},
          messages::parse_machine_reply};
}

// The fault of who gave it, not of the request.
Error Questions::bad_answer(const std::string& system, const Error& why) {
  return {ErrorKind::kUnavailable,
          fmt::format("{}.bad_reply", system),
          fmt::format("the answer of the {} cannot be used: {}{}{}", system, why.where,
                      why.where.empty() ? "" : ": ", why.message),
          {},
          "its log and its version"};
}

Result<std::string> Questions::answer_to(const Question& question, const std::string& value,
                                         std::chrono::seconds patience, const std::stop_token& stop) {
  if (!reader_.wait_ready(std::chrono::seconds{30}))
    return unavailable("kafka.unreachable", "the topics of the answers cannot be read");
  const std::string slot = question.topic + "/" + question.correlation_id;
  const std::string replies = question.topic.substr(0, question.topic.rfind('.')) + ".replies";
  const std::string answer_slot = replies + "/" + question.correlation_id;
  struct Waiting {
    Questions& self;
    std::string slot;
    ~Waiting() {
      std::lock_guard lock(self.mutex_);
      self.answers_.erase(slot);
    }
  } waiting{*this, answer_slot};
  {
    std::lock_guard lock(mutex_);
    answers_[answer_slot] = std::nullopt;
  }
  const MonoTime until = world_.clock.mono() + patience;
  while (!stop.stop_requested() && world_.clock.mono() < until) {
    SLIPWAY_TRY(world_.bus.publish({.topic = question.topic,
                                    .key = question.key,
                                    .value = value,
                                    .source = "/deployment_manager",
                                    .type = question.type,
                                    .subject = question.key,
                                    .event_id = slot,
                                    .more_headers = {}}));
    if (question.system == "sensor_manager") world_.failpoints.hit(Failpoint::kSensorsAsked, question.key);
    std::unique_lock lock(mutex_);
    heard_.wait_for(lock, stop, kAskAgain, [&] { return answers_[answer_slot].has_value(); });
    if (answers_[answer_slot]) return *answers_[answer_slot];
  }
  return unavailable(fmt::format("{}.no_reply", question.system),
                     fmt::format("the {} did not answer within {} s", question.system, patience.count()),
                     "slipway status shows which system is down");
}

}  // namespace slipway::deployment_manager
