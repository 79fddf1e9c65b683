#include "gateway/watch.hpp"

#include <algorithm>
#include <utility>

#include "base/at_once.hpp"
#include "gateway/problem.hpp"
#include "gateway/systems.hpp"

namespace slipway::gateway {
namespace {

constexpr milliseconds kPing{2'000};
constexpr milliseconds kFirstLook{10'000};  // who asks right after the start waits for it
constexpr std::size_t kMostMachines = 10'000;
constexpr std::size_t kMostPings = 16;  // at once: an Engine that hangs delays no other

}  // namespace

Result<Documents> load_documents(ports::Repository& repository) {
  Documents documents;
  SLIPWAY_ASSIGN(documents.services, repository.services().all());
  SLIPWAY_ASSIGN(documents.lanes, repository.lanes().all());
  SLIPWAY_ASSIGN(documents.instances, repository.instances().all());
  SLIPWAY_ASSIGN(documents.bindings, repository.bindings().all());
  SLIPWAY_ASSIGN(auto machines, repository.machines().all());
  for (ports::MachineDocument& document : machines) documents.machines.push_back(std::move(document.machine));
  return documents;
}

Watch::Watch(World& world)
    : world_(world),
      seen_{.kafka = unavailable("kafka.unreachable", "Kafka has not been looked at yet"),
            .repository = unavailable("repository.unreachable", "the Repository has not been looked at yet"),
            .members = {},
            .flows = {},
            .machines = {},
            .engine_errors = {},
            .documents = {},
            .documents_at = {},
            .started_at = world.clock.now()},
      states_(world.bus, world.clock, world.log, {world.topics.machine_registry, world.topics.machine_state},
              ports::From::kBeginning, [this](const ports::Record& record) { take_state(record); }),
      samples_(world.bus, world.clock, world.log, {world.topics.machine_stats}, ports::From::kEnd,
               [this](const ports::Record& record) { take_sample(record); }),
      engines_worker_([this](const std::stop_token& stop) { look_at_engines(stop); }),
      peers_worker_([this](const std::stop_token& stop) { look_at_peers(stop); }),
      worker_([this](const std::stop_token& stop) { look(stop); }) {}

void Watch::take_state(const ports::Record& record) {
  if (record.topic == world_.topics.machine_registry) {  // a tombstone, or the last word before it
    if (record.value || !record.key) return;
    const std::scoped_lock lock(mutex_);
    seen_.machines.erase(*record.key);
    return;
  }
  if (!record.value) return;
  auto report = messages::parse_machine_state(*record.value);
  if (!report) return;  // Heart Beat Manager's to mend; the next one counts
  const std::scoped_lock lock(mutex_);
  if (seen_.machines.size() >= kMostMachines && !seen_.machines.contains(report->machine)) return;
  seen_.machines[report->machine].state = std::move(*report);
}

void Watch::take_sample(const ports::Record& record) {
  if (!record.value) return;
  auto sample = messages::parse_machine_sample(*record.value);
  if (!sample) return;  // the Monitoring Service counts those
  const std::scoped_lock lock(mutex_);
  if (seen_.machines.size() >= kMostMachines && !seen_.machines.contains(sample->machine)) return;
  LiveMachine& machine = seen_.machines[sample->machine];
  // After an outage old samples come first: only what was measured just now says that the agent lives.
  machine.sample_at = std::min(world_.clock.now(), std::max(machine.sample_at, from_ms(sample->t)));
  if (machine.sample && machine.sample->boot_id == sample->boot_id && machine.sample->seq > sample->seq)
    return;
  machine.sample = std::move(*sample);
}

/// Apart from the rest, so that nothing that waits for a peer delays the news that it is away.
void Watch::look_at_peers(const std::stop_token& stop) {
  do {
    const Status repository = world_.repository.ping(kPing);
    const Status kafka = world_.bus.ping(kPing);
    const std::scoped_lock lock(mutex_);
    seen_.repository = repository ? std::nullopt : std::optional(of_repository(repository.error()));
    seen_.kafka = kafka ? std::nullopt : std::optional(of_kafka(kafka.error()));
    looked_ = true;
    changed_.notify_all();
  } while (world_.clock.sleep(world_.settings.look_interval, stop));
}

void Watch::look(const std::stop_token& stop) {
  do {
    bool kafka = false;
    bool repository = false;
    {
      std::unique_lock lock(mutex_);
      changed_.wait_for(lock, kFirstLook, [this] { return looked_; });
      kafka = !seen_.kafka;
      repository = !seen_.repository;
    }
    if (repository) refresh_documents();
    if (kafka) look_at_groups();
    if (kafka) look_at_flows();
  } while (world_.clock.sleep(world_.settings.look_interval, stop));
}

void Watch::look_at_groups() {
  for (const System& system : kSystems) {
    if (system.role.empty()) continue;
    const auto members = world_.bus.group_members(world_.topics.group(system.role));
    const std::scoped_lock lock(mutex_);
    if (seen_.kafka) return;  // gone meanwhile: what was known stays
    if (members)
      seen_.members[std::string(system.role)] = *members;
    else
      seen_.members.erase(std::string(system.role));
  }
}

void Watch::look_at_flows() {
  std::vector<std::string> topics;
  {
    const std::scoped_lock lock(mutex_);
    for (const ports::Binding& binding : seen_.documents.bindings)
      for (const auto& [name, bound] : binding.topics) topics.push_back(bound.topic);
  }
  if (topics.empty()) return;
  const auto ends = world_.bus.end_offsets(topics);
  if (!ends) return;  // a topic that is not there yet: its sensor is silent
  std::map<std::string, std::int64_t> sums;
  for (const auto& [partition, offset] : *ends) sums[partition.topic] += offset;
  for (const auto& [topic, sum] : sums) look_at_flow(topic, sum);
}

void Watch::look_at_flow(const std::string& topic, std::int64_t end) {
  {
    const std::scoped_lock lock(mutex_);
    const auto found = seen_.flows.find(topic);
    if (found != seen_.flows.end()) {
      if (std::exchange(found->second.end, end) != end) found->second.last_moved = world_.clock.now();
      return;
    }
  }
  TopicFlow flow{end, std::nullopt};
  if (const auto last = world_.bus.last_record(topic); last && *last) flow.last_moved = (*last)->timestamp;
  const std::scoped_lock lock(mutex_);
  seen_.flows.emplace(topic, flow);
}

void Watch::look_at_engines(const std::stop_token& stop) {
  do {
    std::vector<messages::Machine> machines;
    {
      const std::scoped_lock lock(mutex_);
      machines = seen_.documents.machines;
    }
    for_each_at_once(machines, kMostPings, [&](const messages::Machine& machine) {
      if (!stop.stop_requested()) look_at_engine(machine);
    });
  } while (world_.clock.sleep(2 * world_.settings.look_interval, stop));
}

void Watch::look_at_engine(const messages::Machine& machine) {
  const auto engine = world_.engines.open(machine.docker, machine.tls);
  std::string error;  // an endpoint that cannot be opened from here says nothing about its Engine
  if (engine) {
    if (const Status answered = (*engine)->ping(); !answered) error = answered.error().message;
  }
  const std::scoped_lock lock(mutex_);
  if (error.empty())
    seen_.engine_errors.erase(machine.name);
  else
    seen_.engine_errors[machine.name] = error;
}

void Watch::refresh_documents() {
  auto documents = load_documents(world_.repository);
  const std::scoped_lock lock(mutex_);
  if (documents) {
    seen_.documents = std::move(*documents);
    seen_.documents_at = world_.clock.now();
  } else {
    seen_.repository = of_repository(documents.error());
  }
}

Observed Watch::observe() {
  bool reachable = false;
  {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, kFirstLook, [this] { return looked_; });
    reachable = !seen_.repository;
  }
  if (reachable) refresh_documents();
  const std::scoped_lock lock(mutex_);
  return seen_;
}

std::optional<messages::MachineSample> Watch::last_sample(const std::string& machine) const {
  const std::scoped_lock lock(mutex_);
  const auto found = seen_.machines.find(machine);
  return found == seen_.machines.end() ? std::nullopt : found->second.sample;
}

}  // namespace slipway::gateway
