#include "systems/deployment_manager/questions.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "messages/strict_json.hpp"

namespace slipway::deployment_manager {
namespace {

constexpr std::chrono::seconds kAskAgain{5};

// An answer that breaks its contract is the fault of who gave it, not of the request.
template <class Reply>
Result<Reply> read_answer(Result<Reply> reply, std::string_view system) {
  if (reply) return reply;
  const auto& why = reply.error();
  return Error{ErrorKind::kUnavailable,
               fmt::format("{}.bad_reply", system),
               fmt::format("the answer of the {} cannot be used: {}{}{}", system, why.where,
                           why.where.empty() ? "" : ": ", why.message),
               {},
               "its log and its version"};
}

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

Result<std::string> Questions::ask(const Question& question, std::chrono::seconds patience,
                                   const std::stop_token& stop) {
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
                                    .value = question.value,
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

Result<messages::PlacementReply> Questions::ask(const messages::PlacementRequest& request,
                                                std::chrono::seconds patience, const std::stop_token& stop) {
  SLIPWAY_ASSIGN(const auto answer,
                 ask({world_.topics.placement_requests, request.service_id, messages::to_json(request),
                      "slipway.placement.requested.v1", request.correlation_id, "scheduler"},
                     patience, stop));
  return read_answer(messages::parse_placement_reply(answer), "scheduler");
}

Result<messages::SensorReply> Questions::ask(const messages::SensorRequest& request,
                                             std::chrono::seconds patience, const std::stop_token& stop) {
  SLIPWAY_ASSIGN(const auto answer,
                 ask({world_.topics.sensor_requests, request.service_id, messages::to_json(request),
                      "slipway.sensor.requested.v1", request.correlation_id, "sensor_manager"},
                     patience, stop));
  return read_answer(messages::parse_sensor_reply(answer), "sensor_manager");
}

Result<messages::MachineReply> Questions::ask(const messages::MachineRequest& request,
                                              std::chrono::seconds patience, const std::stop_token& stop) {
  SLIPWAY_ASSIGN(const auto answer,
                 ask({world_.topics.machine_requests, request.machine, messages::to_json(request),
                      "slipway.machine.requested.v1", request.correlation_id, "node_manager"},
                     patience, stop));
  return read_answer(messages::parse_machine_reply(answer), "node_manager");
}

}  // namespace slipway::deployment_manager
