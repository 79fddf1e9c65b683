#include "systems/scheduler/scheduler.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "messages/placement.hpp"
#include "ports/answers.hpp"
#include "ports/role_seat.hpp"
#include "systems/scheduler/machines.hpp"

namespace slipway::scheduler {
namespace {

constexpr std::string_view kAgent = "slipway-agent";
constexpr std::chrono::minutes kOnItsWay{10};  // then it runs, or failed

}  // namespace

struct Scheduler::Parts {
  Parts(ports::Bus& a_bus, ports::Repository& a_repository, Clock& a_clock, Log a_log,
        messages::Topics the_topics, SchedulerSettings the_settings)
      : bus(a_bus),
        repository(a_repository),
        clock(a_clock),
        log(std::move(a_log)),
        topics(std::move(the_topics)),
        settings(std::move(the_settings)),
        answers(bus, repository, clock, "scheduler", topics.placement_replies,
                "slipway.placement.replied.v1"),
        machines(bus, clock, log, topics),
        seat(bus, repository.leases(), clock, log,
             {.role = "scheduler",
              .holder = settings.holder,
              .requests = {.group = topics.group("scheduler"),
                           .topics = {topics.placement_requests},
                           .deadletter_topic = topics.deadletter,
                           .source = "/scheduler"}},
             [this](const ports::Record& record) { return handle(record); }) {}

  Status handle(const ports::Record& record);
  Result<std::string> answer(const messages::PlacementRequest& request, WallTime asked_at);
  WallTime asked_at(const ports::Record& record);
  Result<std::vector<Candidate>> candidates(const std::string& asking);
  Result<int> services_on(const std::string& machine, const std::string& asking);

  ports::Bus& bus;
  ports::Repository& repository;
  Clock& clock;
  const Log log;
  const messages::Topics topics;
  const SchedulerSettings settings;

  // The request loop's thread's own.
  ports::Answers answers;
  std::pair<std::string, WallTime> first_tried;  // place of the record under way
  struct Placed {
    std::string machine;
    MonoTime at{};
  };
  std::map<std::string, Placed> on_their_way;  // by service: chosen, perhaps not an instance yet

  Machines machines;  // these last: their bodies use all the others
  ports::RoleSeat seat;
};

Scheduler::Scheduler(ports::Bus& bus, ports::Repository& repository, Clock& clock, Log log,
                     messages::Topics topics, SchedulerSettings settings)
    : parts_(std::make_unique<Parts>(bus, repository, clock, std::move(log), std::move(topics),
                                     std::move(settings))) {}
Scheduler::~Scheduler() = default;

Status Scheduler::Parts::handle(const ports::Record& record) {
  SLIPWAY_ASSIGN(const auto parsed, ports::read_request(bus, record, messages::parse_placement_request));
  const auto& request = parsed.request;
  return answers.answer(ports::answerable(request, request.service_id), [&]() -> Result<std::string> {
    if (!parsed.refusal) return answer(request, asked_at(record));
    return messages::to_json(messages::PlacementReply{.request_id = request.request_id,
                                                      .service_id = request.service_id,
                                                      .correlation_id = request.correlation_id,
                                                      .error = parsed.refusal});
  });
}

// A time stamp is the sender's word: one that lies in the future must not make the question wait for ever.
WallTime Scheduler::Parts::asked_at(const ports::Record& record) {
  if (first_tried.first != record.place()) first_tried = {record.place(), clock.now()};
  return std::min(record.timestamp, first_tried.second);
}

Result<std::vector<Candidate>> Scheduler::Parts::candidates(const std::string& asking) {
  auto out = machines.candidates();
  std::erase_if(on_their_way, [&](const auto& entry) { return clock.mono() - entry.second.at > kOnItsWay; });
  for (Candidate& candidate : out) {
    SLIPWAY_ASSIGN(candidate.services, services_on(candidate.machine.name, asking));
  }
  return out;
}

// Building takes minutes: what was sent there counts too, or all questions of that time get one machine.
Result<int> Scheduler::Parts::services_on(const std::string& machine, const std::string& asking) {
  SLIPWAY_ASSIGN(const auto instances, repository.instances().where("machine", machine, 1000));
  std::set<std::string> services;
  for (const auto& instance : instances)
    if (instance.service_id != kAgent && (instance.state == "running" || instance.state == "starting"))
      services.insert(instance.service_id);
  for (const auto& [service, placed] : on_their_way)
    if (placed.machine == machine && service != asking) services.insert(service);
  return static_cast<int>(services.size());
}

Result<std::string> Scheduler::Parts::answer(const messages::PlacementRequest& request, WallTime asked_at) {
  if (!machines.known()) return unavailable("placement.starting", "the machines are still being read");
  SLIPWAY_ASSIGN(const auto all, candidates(request.service_id));
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
  if (!choice.machine.empty()) on_their_way[request.service_id] = {choice.machine, clock.mono()};
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
