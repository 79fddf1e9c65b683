#include "systems/life_cycle_manager/life_cycle_manager.hpp"

#include "messages/deployment_request.hpp"
#include "ports/answers.hpp"
#include "ports/role_seat.hpp"
#include "systems/life_cycle_manager/decide.hpp"

namespace slipway::life_cycle_manager {

struct LifeCycleManager::Parts {
  Parts(ports::Bus& the_bus, ports::Repository& the_repository, Clock& the_clock, Log the_log,
        messages::Topics the_topics, const LifeCycleManagerSettings& settings)
      : bus(the_bus),
        repository(the_repository),
        clock(the_clock),
        log(std::move(the_log)),
        topics(std::move(the_topics)),
        answers(bus, repository, clock, "life_cycle_manager", topics.service_replies,
                "slipway.service.replied.v1"),
        seat(bus, repository.leases(), clock, log,
             {.role = "life_cycle_manager",
              .holder = settings.holder,
              .requests = {.group = topics.group("life_cycle_manager"),
                           .topics = {topics.service_requests, topics.deployment_status,
                                      topics.service_events},
                           .deadletter_topic = topics.deadletter,
                           .source = "/life_cycle_manager"}},
             [this](const ports::Record& record) { return handle(record); }) {}

  Status handle(const ports::Record& record);
  Status handle_wish(const ports::Record& record);
  Result<std::string> pass_on(const messages::DeploymentRequest& request);
  Status handle_status(const ports::Record& record);
  Status handle_event(const ports::Record& record);

  ports::Bus& bus;
  ports::Repository& repository;
  Clock& clock;
  Log log;
  messages::Topics topics;
  ports::Answers answers;
  ports::RoleSeat seat;  // last: its handler uses all the others
};

LifeCycleManager::LifeCycleManager(ports::Bus& bus, ports::Repository& repository, Clock& clock, Log log,
                                   messages::Topics topics, LifeCycleManagerSettings settings)
    : parts_(std::make_unique<Parts>(bus, repository, clock, std::move(log), std::move(topics), settings)) {}
LifeCycleManager::~LifeCycleManager() = default;

Status LifeCycleManager::Parts::handle(const ports::Record& record) {
  if (record.topic == topics.service_requests) return handle_wish(record);
  if (!record.value) return invalid("message.empty", "a message without a value");
  return record.topic == topics.deployment_status ? handle_status(record) : handle_event(record);
}

Status LifeCycleManager::Parts::handle_wish(const ports::Record& record) {
  SLIPWAY_ASSIGN(const auto parsed, ports::read_request(bus, record, messages::parse_deployment_request));
  const auto& request = parsed.request;
  return answers.answer(
      {.id = request.request_id, .canonical = messages::to_json(request), .key = request.service_id},
      [&]() -> Result<std::string> {
        if (!parsed.refusal) return pass_on(request);
        return messages::to_json(messages::ServiceReply{.request_id = request.request_id,
                                                        .service_id = request.service_id,
                                                        .accepted = false,
                                                        .error = parsed.refusal,
                                                        .correlation_id = request.correlation_id});
      });
}

Result<std::string> LifeCycleManager::Parts::pass_on(const messages::DeploymentRequest& request) {
  // Never lets a wish be forgotten that was answered: first the request, then the answer. Twice is once by
  // its id.
  SLIPWAY_TRY(bus.publish({.topic = topics.deployment_requests,
                           .key = request.service_id,
                           .value = messages::to_json(request),
                           .source = "/life_cycle_manager",
                           .type = "slipway.deployment.requested.v1",
                           .subject = request.service_id,
                           .event_id = request.request_id}));
  if (request.action == messages::Action::kDeploy)
    SLIPWAY_TRY(repository.services().insert({.service_id = request.service_id,
                                              .state = "registered",
                                              .path = request.path,
                                              .since = clock.now()}));
  return messages::to_json(messages::ServiceReply{.request_id = request.request_id,
                                                  .service_id = request.service_id,
                                                  .accepted = true,
                                                  .correlation_id = request.correlation_id});
}

Status LifeCycleManager::Parts::handle_status(const ports::Record& record) {
  SLIPWAY_ASSIGN(const auto status, messages::parse_deployment_status(*record.value));
  if (status.service_id.empty()) return {};  // a refusal that names no service
  if (!status.final) {                       // said again, by a replay or by a second deployer, after the end
    SLIPWAY_ASSIGN(const auto deployment, repository.deployments().find(status.request_id));
    if (deployment && deployment->end) return {};
  }
  SLIPWAY_ASSIGN(const auto known, repository.services().find(status.service_id));
  SLIPWAY_ASSIGN(const auto lane, repository.lanes().find(status.service_id));
  auto service = after_status(known, status, lane);
  if (!service) return {};
  if (service->serving) {
    const ports::Release wanted{.service_id = service->service_id, .number = *service->serving};
    SLIPWAY_ASSIGN(const auto release, repository.releases().find(wanted.id()));
    if (release) {
      service->version = release->version;
      service->path = release->path;
    }
  }
  SLIPWAY_TRY(repository.services().put(*service));
  if (const auto entry = history_of(status, service->state)) return repository.service_history().put(*entry);
  return {};
}

Status LifeCycleManager::Parts::handle_event(const ports::Record& record) {
  SLIPWAY_ASSIGN(const auto event, messages::parse_service_event(*record.value));
  if (const auto entry = history_of(event)) SLIPWAY_TRY(repository.service_history().put(*entry));
  if (event.event != "died" || event.exit_code != 0) return {};
  // A run-once service that outlived its deployment has ended well: the lane says so soon after.
  SLIPWAY_ASSIGN(const auto lane, repository.lanes().find(event.service_id));
  SLIPWAY_ASSIGN(auto service, repository.services().find(event.service_id));
  if (!lane || !service || lane->wanted != ports::Wanted::kCompleted || service->state == "completed")
    return {};
  service->state = "completed";
  service->serving.reset();
  service->since = event.at;
  return repository.services().put(*service);
}

}  // namespace slipway::life_cycle_manager
