#include "systems/node_manager/node_manager.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <mutex>

#include "base/at_once.hpp"
#include "ports/answers.hpp"
#include "ports/role_seat.hpp"
#include "systems/node_manager/decide.hpp"
#include "systems/node_manager/registry.hpp"

namespace slipway::node_manager {
namespace {

constexpr std::string_view kAgent = "slipway-agent";
constexpr std::size_t kMostChecks = 16;  // at once: an Engine that hangs delays no other
constexpr milliseconds kLookAtLease{100};
constexpr std::size_t kMostMachines = 10'000;

}  // namespace

struct NodeManager::Parts {
  Parts(ports::Bus& the_bus, ports::Repository& the_repository, ports::Engines& the_engines, Clock& the_clock,
        Log the_log, messages::Topics the_topics, NodeManagerSettings the_settings)
      : bus(the_bus),
        repository(the_repository),
        engines(the_engines),
        clock(the_clock),
        log(std::move(the_log)),
        topics(std::move(the_topics)),
        settings(std::move(the_settings)),
        registry(bus, repository, topics),
        answers(bus, repository, clock, "node_manager", topics.machine_replies, "slipway.machine.replied.v1"),
        seat(
            bus, repository.leases(), clock, log,
            {.role = "node_manager",
             .holder = settings.holder,
             .requests = {.group = topics.group("node_manager"),
                          .topics = {topics.machine_requests},
                          .deadletter_topic = topics.deadletter,
                          .source = "/node_manager"}},
            [this](const ports::Record& record) { return handle(record); }, [this] { return take_office(); }),
        states(bus, clock, log, {topics.machine_state}, ports::From::kBeginning,
               [this](const ports::Record& record) { hear_state(record); }),
        checks([this](const std::stop_token& stop) { check_loop(stop); }) {}

  Status handle(const ports::Record& record);
  Result<std::string> answer(const messages::MachineRequest& request);
  Result<Known> look_up(const messages::MachineRequest& request);
  Status take_office();
  void hear_state(const ports::Record& record);
  Status fold(const messages::MachineStateReport& report);
  void check_loop(const std::stop_token& stop);
  void check(const messages::Machine& machine);

  ports::Bus& bus;
  ports::Repository& repository;
  ports::Engines& engines;
  Clock& clock;
  Log log;
  messages::Topics topics;
  NodeManagerSettings settings;
  Registry registry;
  ports::Answers answers;
  std::mutex mutex;
  std::map<std::string, messages::MachineStateReport> heard;  // guarded by mutex: what each machine is
  ports::RoleSeat seat;                                       // these last: their bodies use all the others
  ports::TopicReader states;
  Worker checks;
};

NodeManager::NodeManager(ports::Bus& bus, ports::Repository& repository, ports::Engines& engines,
                         Clock& clock, Log log, messages::Topics topics, NodeManagerSettings settings)
    : parts_(std::make_unique<Parts>(bus, repository, engines, clock, std::move(log), std::move(topics),
                                     settings)) {}
NodeManager::~NodeManager() = default;

Status NodeManager::Parts::handle(const ports::Record& record) {
  SLIPWAY_ASSIGN(const auto parsed, ports::read_request(bus, record, messages::parse_machine_request));
  const auto& request = parsed.request;
  return answers.answer(ports::answerable(request, request.machine), [&]() -> Result<std::string> {
    if (!parsed.refusal) return answer(request);
    return messages::to_json(messages::MachineReply{.request_id = request.request_id,
                                                    .machine = request.machine,
                                                    .error = parsed.refusal,
                                                    .correlation_id = request.correlation_id});
  });
}

Result<Known> NodeManager::Parts::look_up(const messages::MachineRequest& request) {
  Known known;
  SLIPWAY_ASSIGN(known.machine, registry.find(request.machine));
  SLIPWAY_ASSIGN(const auto instances, repository.instances().where("machine", request.machine, 1000));
  for (const auto& instance : instances)
    if (instance.service_id != kAgent && instance.state == "running")
      known.services.push_back(instance.service_id);
  return known;
}

Result<std::string> NodeManager::Parts::answer(const messages::MachineRequest& request) {
  SLIPWAY_ASSIGN(const auto known, look_up(request));
  const auto decision = decide(request, known, clock.now(), [&]() -> Result<ports::EngineInfo> {
    SLIPWAY_ASSIGN(const auto engine, engines.open(request.docker, request.tls));
    SLIPWAY_TRY(engine->ping());  // one that hangs is known in seconds: other requests wait behind this one
    return engine->info();
  });
  if (decision.store) SLIPWAY_TRY(registry.put(*decision.store));
  if (decision.remove) SLIPWAY_TRY(registry.remove(*known.machine));
  log.info("machine request", {{"machine", request.machine},
                               {"request", request.request_id},
                               {"outcome", decision.reply.error ? decision.reply.error->code : "ok"}});
  return messages::to_json(decision.reply);
}

// What was said while somebody else held the lease may not have been stored by him.
Status NodeManager::Parts::take_office() {
  SLIPWAY_TRY(registry.publish_all());
  std::map<std::string, messages::MachineStateReport> reports;
  {
    const std::lock_guard lock(mutex);
    reports = heard;
  }
  for (const auto& [machine, report] : reports) SLIPWAY_TRY(fold(report));
  return {};
}

void NodeManager::Parts::hear_state(const ports::Record& record) {
  if (!record.value) {
    const std::lock_guard lock(mutex);
    heard.erase(record.key.value_or(""));
    return;
  }
  const auto report = messages::parse_machine_state(*record.value);
  if (!report) {
    log.warn(fmt::format("a machine state at {} cannot be read", record.place()), report.error());
    return;
  }
  {
    const std::lock_guard lock(mutex);
    if (heard.size() >= kMostMachines && !heard.contains(report->machine)) return;
    heard[report->machine] = *report;
  }
  if (!seat.held()) return;
  if (const auto stored = fold(*report); !stored)
    log.warn("a machine's state could not be stored", stored.error());  // the next report comes in seconds
}

Status NodeManager::Parts::fold(const messages::MachineStateReport& report) {
  return registry.change(report.machine, false, [&](messages::Machine& machine) {
    machine.state = report;
    return true;
  });
}

void NodeManager::Parts::check_loop(const std::stop_token& stop) {
  do {
    while (!seat.held())
      if (!clock.sleep(kLookAtLease, stop)) return;
    const auto machines = registry.all();
    if (!machines) {
      log.warn("the machines cannot be read", machines.error());
      continue;
    }
    for_each_at_once(*machines, kMostChecks, [&](const messages::Machine& machine) {
      if (!stop.stop_requested() && seat.held()) check(machine);
    });
  } while (clock.sleep(settings.check_every, stop));
}

void NodeManager::Parts::check(const messages::Machine& machine) {
  const auto info = [&]() -> Result<ports::EngineInfo> {
    SLIPWAY_ASSIGN(const auto engine, engines.open(machine.docker, machine.tls));
    SLIPWAY_TRY(engine->ping());
    return engine->info();
  }();
  const auto stored = registry.change(machine.name, true, [&](messages::Machine& now) {
    const auto before_error = now.engine_error;
    const auto before_facts = now.facts;
    now.engine_error = info ? "" : info.error().message;
    if (info) now.facts = facts_of(*info);
    return now.engine_error != before_error || now.facts != before_facts;
  });
  if (!stored) log.warn("the check of an Engine could not be stored", stored.error());
}

}  // namespace slipway::node_manager
