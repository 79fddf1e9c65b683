#include "systems/scheduler/scheduler.hpp"

#include "messages/placement.hpp"
#include "ports/answers.hpp"
#include "ports/request_loop.hpp"
#include "systems/scheduler/machines.hpp"

namespace slipway::scheduler {

struct Scheduler::Parts {
  Parts(ports::Bus& a_bus, ports::Repository& a_repository, Clock& a_clock, Log a_log,
        messages::Topics the_topics, const SchedulerSettings& the_settings)
      : bus(a_bus),
        repository(a_repository),
        clock(a_clock),
        log(std::move(a_log)),
        topics(std::move(the_topics)),
        settings(the_settings),
        answers(bus, repository, clock, "scheduler", topics.placement_replies,
                "slipway.placement.replied.v1"),
        machines(bus, clock, log, topics),
        requests(bus, clock, log,
                 {.group = topics.group("scheduler"),
                  .topics = {topics.placement_requests},
                  .deadletter_topic = topics.deadletter,
                  .source = "/scheduler"},
                 [this](const ports::Record& record) { return handle(record); }) {}

  Status handle(const ports::Record& record);
  Result<std::string> answer(const messages::PlacementRequest& request, WallTime asked_at);
  Result<std::vector<Candidate>> candidates();

  ports::Bus& bus;
  ports::Repository& repository;
  Clock& clock;
  const Log log;
  const messages::Topics topics;
  const SchedulerSettings settings;
  ports::Answers answers;
  Machines machines;  // these last: their bodies use all the others
  ports::RequestLoop requests;
};

Scheduler::Scheduler(ports::Bus& bus, ports::Repository& repository, Clock& clock, Log log,
                     messages::Topics topics, SchedulerSettings settings)
    : parts_(std::make_unique<Parts>(bus, repository, clock, std::move(log), std::move(topics), settings)) {}
Scheduler::~Scheduler() = default;

Status Scheduler::Parts::handle(const ports::Record& record) {
  SLIPWAY_ASSIGN(const auto cluster, bus.cluster_id());
  SLIPWAY_ASSIGN(const auto parsed, messages::parse_placement_request(record.value.value_or(""), record.key,
                                                                      place_of(record, cluster)));
  const auto& request = parsed.request;
  // One question may be asked again under a later epoch of its deployment: the correlation id is part of it.
  const ports::Answers::Request asked{.id = request.correlation_id.empty()
                                                ? request.request_id
                                                : request.request_id + "/" + request.correlation_id,
                                      .canonical = messages::to_json(request),
                                      .key = request.service_id};
  return answers.answer(asked, [&]() -> Result<std::string> {
    if (!parsed.refusal) return answer(request, record.timestamp);
    return messages::to_json(messages::PlacementReply{.request_id = request.request_id,
                                                      .service_id = request.service_id,
                                                      .correlation_id = request.correlation_id,
                                                      .error = parsed.refusal});
  });
}

Result<std::vector<Candidate>> Scheduler::Parts::candidates() {
  auto out = machines.candidates();
  for (Candidate& candidate : out) {
    SLIPWAY_ASSIGN(const auto instances,
                   repository.instances().where("machine", candidate.machine.name, 1000));
    for (const auto& instance : instances) candidate.services += instance.state == "running" ? 1 : 0;
  }
  return out;
}

Result<std::string> Scheduler::Parts::answer(const messages::PlacementRequest& request, WallTime asked_at) {
  if (!machines.known()) return unavailable("placement.starting", "the machines are still being read");
  SLIPWAY_ASSIGN(const auto all, candidates());
  SLIPWAY_ASSIGN(const auto before, repository.placements().find(request.request_id));
  const Choice choice = decide(all, before ? before->machine : "", clock.now());
  if (choice.may_change_soon && clock.now() - asked_at < settings.patience)
    return unavailable("placement.waiting", "waiting for the first state of a new machine: " + choice.reason);
  SLIPWAY_TRY(repository.placements().put({.request_id = request.request_id,
                                           .service_id = request.service_id,
                                           .machine = choice.machine,
                                           .reason = choice.reason,
                                           .refused = choice.refused,
                                           .at = clock.now()}));
  log.info("placement", {{"service", request.service_id},
                         {"request", request.request_id},
                         {"machine", choice.machine},
                         {"reason", choice.reason}});
  messages::PlacementReply reply{.request_id = request.request_id,
                                 .service_id = request.service_id,
                                 .correlation_id = request.correlation_id,
                                 .machine = choice.machine,
                                 .reason = choice.reason,
                                 .refused = choice.refused,
                                 .error = {}};
  if (choice.machine.empty())
    reply.error = not_found("placement.none", choice.reason,
                            "slipway machine ls; slipway machine add; or name a machine");
  return messages::to_json(reply);
}

}  // namespace slipway::scheduler
