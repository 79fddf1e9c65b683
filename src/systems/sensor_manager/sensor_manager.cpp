#include "systems/sensor_manager/sensor_manager.hpp"

#include <fmt/format.h>

#include "ports/answers.hpp"
#include "ports/role_seat.hpp"
#include "systems/sensor_manager/decide.hpp"
#include "systems/sensor_manager/simulator.hpp"

namespace slipway::sensor_manager {
namespace {

constexpr std::string_view kReplied = "slipway.sensor.replied.v1";

}  // namespace

struct SensorManager::Parts {
  Parts(ports::Bus& a_bus, ports::Repository& a_repository, Clock& a_clock, Log a_log,
        messages::Topics the_topics, const SensorManagerSettings& settings)
      : bus(a_bus),
        repository(a_repository),
        clock(a_clock),
        log(std::move(a_log)),
        topics(std::move(the_topics)),
        answers(bus, repository, clock, "sensor_manager", topics.sensor_replies, std::string(kReplied)),
        seat(bus, repository.leases(), clock, log,
             {.role = "sensor_manager",
              .holder = settings.holder,
              .requests = {.group = topics.group("sensor_manager"),
                           .topics = {topics.sensor_requests},
                           .deadletter_topic = topics.deadletter,
                           .source = "/sensor_manager"}},
             [this](const ports::Record& record) { return handle(record); }),
        simulator(bus, clock, log, [this] { return all_sensors(); }, [this] { return seat.held(); }) {}

  Result<std::vector<messages::Sensor>> all_sensors();
  Status handle(const ports::Record& record);
  Result<std::string> answer(const messages::SensorRequest& request);
  Status make_topic(const std::string& topic);
  Status store(Decision& decision);
  Status bind_others_again();
  void look_up_readings(messages::SensorReply& reply);

  ports::Bus& bus;
  ports::Repository& repository;
  Clock& clock;
  const Log log;
  const messages::Topics topics;
  ports::Answers answers;
  ports::RoleSeat seat;  // these last: their bodies use all the others
  Simulator simulator;
};

SensorManager::SensorManager(ports::Bus& bus, ports::Repository& repository, Clock& clock, Log log,
                             messages::Topics topics, SensorManagerSettings settings)
    : parts_(std::make_unique<Parts>(bus, repository, clock, std::move(log), std::move(topics), settings)) {}
SensorManager::~SensorManager() = default;

Result<std::vector<messages::Sensor>> SensorManager::Parts::all_sensors() {
  SLIPWAY_ASSIGN(auto documents, repository.sensors().all());
  std::vector<messages::Sensor> out;
  for (auto& document : documents) out.push_back(std::move(document.sensor));
  return out;
}

Status SensorManager::Parts::handle(const ports::Record& record) {
  SLIPWAY_ASSIGN(const auto parsed, ports::read_request(bus, record, messages::parse_sensor_request));
  const auto& request = parsed.request;
  return answers.answer(
      ports::answerable(request, request.sensor ? request.sensor->sensor_id : request.service_id),
      [&]() -> Result<std::string> {
        if (!parsed.refusal) return answer(request);
        return messages::to_json(
            messages::SensorReply{.request_id = request.request_id,
                                  .service_id = request.service_id,
                                  .sensor_id = request.sensor ? request.sensor->sensor_id : "",
                                  .error = parsed.refusal,
                                  .correlation_id = request.correlation_id});
      });
}

Result<std::string> SensorManager::Parts::answer(const messages::SensorRequest& request) {
  Known known;
  SLIPWAY_ASSIGN(known.sensors, all_sensors());
  if (!request.service_id.empty()) {
    SLIPWAY_ASSIGN(known.binding, repository.bindings().find(request.service_id));
  }
  Decision decision = decide(request, known, clock.now());
  SLIPWAY_TRY(store(decision));
  if (request.action == messages::SensorAction::kBind)
    look_up_readings(decision.reply);
  else
    SLIPWAY_TRY(bind_others_again());  // also where nothing changed: an earlier try may have ended half-way
  log.info("sensor request", {{"action", std::string(to_string(request.action))},
                              {"about", request.sensor ? request.sensor->sensor_id : request.service_id},
                              {"request", request.request_id},
                              {"outcome", decision.reply.error ? decision.reply.error->code : "ok"}});
  return messages::to_json(decision.reply);
}

Status SensorManager::Parts::store(Decision& decision) {
  if (decision.store) {
    if (auto made = make_topic(decision.store->topic); !made) {
      if (made.error().retryable()) return made;
      decision.reply.error = made.error();  // a topic that we may not use is the asker's to hear of
      return {};
    }
    SLIPWAY_TRY(repository.sensors().put({*decision.store}));
  }
  if (decision.remove) SLIPWAY_TRY(repository.sensors().remove(*decision.remove));
  if (decision.bind) SLIPWAY_TRY(repository.bindings().put(*decision.bind));
  return {};
}

// A service cannot read a topic that is not there. What is there is the user's and left as it is.
Status SensorManager::Parts::make_topic(const std::string& topic) {
  const std::string names[] = {topic};
  SLIPWAY_ASSIGN(const auto there, bus.ranges(names));
  if (!there.empty()) return {};
  const messages::TopicSpec spec[] = {{topic, 1, false, std::chrono::days{7}}};
  return bus.ensure_topics(spec);
}

Status SensorManager::Parts::bind_others_again() {
  SLIPWAY_ASSIGN(const auto bindings, repository.bindings().all());
  SLIPWAY_ASSIGN(const auto sensors, all_sensors());
  for (const auto& binding : bindings) {
    auto changed = bind_again(binding, sensors, clock.now());
    if (!changed) continue;
    // Published before it is stored: a kill in between says it twice, never not at all.
    SLIPWAY_TRY(
        bus.publish({.topic = topics.sensor_replies,
                     .key = binding.service_id,
                     .value = messages::to_json(changed->reply),
                     .source = "/sensor_manager",
                     .type = std::string(kReplied),
                     .subject = binding.service_id,
                     .event_id = fmt::format("{}:binding:{}", binding.service_id, changed->reply.binding)}));
    SLIPWAY_TRY(store(*changed));
  }
  return {};
}

// When each topic had its last record: a help for people, so trouble with it is no trouble of the binding.
void SensorManager::Parts::look_up_readings(messages::SensorReply& reply) {
  for (auto& [name, bound] : reply.topics) {
    const auto last = bus.last_record(bound.topic);
    if (last && *last) bound.last_reading_at = (*last)->timestamp;
  }
}

}  // namespace slipway::sensor_manager
