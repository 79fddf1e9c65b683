#include "systems/heart_beat_manager/heart_beat_manager.hpp"

#include <mutex>
#include <optional>
#include <set>

#include "base/backoff.hpp"
#include "base/thread.hpp"
#include "messages/machine.hpp"
#include "messages/machine_sample.hpp"
#include "messages/service_event.hpp"
#include "ports/request_loop.hpp"
#include "ports/role_lease.hpp"

namespace slipway::heart_beat_manager {
namespace {

constexpr std::chrono::seconds kSilentForAll{3};  // then it may be Kafka that is away
constexpr milliseconds kPingTimeout{2'000};

}  // namespace

struct HeartBeatManager::Parts {
  Parts(ports::Bus& the_bus, ports::Repository& repository, Clock& the_clock, Log the_log,
        messages::Topics the_topics, HeartBeatManagerSettings the_settings)
      : bus(the_bus),
        clock(the_clock),
        log(std::move(the_log)),
        topics(std::move(the_topics)),
        settings(std::move(the_settings)),
        beats(settings.beats),
        known(bus, clock, log, {topics.machine_registry, topics.machine_state}, ports::From::kBeginning,
              [this](const ports::Record& record) { learn(record); }),
        live(bus, clock, log, {topics.machine_stats, topics.service_events}, ports::From::kEnd,
             [this](const ports::Record& record) { hear(record); }),
        lease(repository.leases(), clock, log, "heart_beat_manager", settings.holder),
        rounds([this](const std::stop_token& stop) { run(stop); }) {}

  void learn(const ports::Record& record);
  void hear(const ports::Record& record);
  void run(const std::stop_token& stop);
  void wait_a_round(const std::stop_token& stop);
  Status be_a_member();
  void mind_our_own_absence();
  bool kafka_answers();
  void speak();
  Status say(const Beats::Report& report);
  void forget(const std::string& machine);

  ports::Bus& bus;
  Clock& clock;
  const Log log;
  const messages::Topics topics;
  const HeartBeatManagerSettings settings;

  std::mutex mutex;
  Beats beats;                      // guarded by mutex
  std::set<std::string> removed;    // guarded by mutex: their last word is still to be taken back
  std::set<std::string> spoken_of;  // guarded by mutex: machines with a word on machine.state

  // The rounds' thread's own.
  std::unique_ptr<ports::Consumer> seat;
  std::map<std::string, Beats::Report> unsaid;  // changes that Kafka has not taken yet
  Backoff pause;
  std::optional<MonoTime> last_round, last_repeat, last_ping;

  ports::TopicReader known;  // these last: their bodies use all the others
  ports::TopicReader live;
  ports::RoleLease lease;
  Worker rounds;
};

HeartBeatManager::HeartBeatManager(ports::Bus& bus, ports::Repository& repository, Clock& clock, Log log,
                                   messages::Topics topics, HeartBeatManagerSettings settings)
    : parts_(std::make_unique<Parts>(bus, repository, clock, std::move(log), std::move(topics),
                                     std::move(settings))) {}

HeartBeatManager::~HeartBeatManager() = default;

// ---- what is heard

void HeartBeatManager::Parts::learn(const ports::Record& record) {
  const std::lock_guard lock(mutex);
  const std::string name = record.key.value_or("");
  if (record.topic == topics.machine_state) {
    if (!record.value) {
      spoken_of.erase(name);
    } else if (const auto report = messages::parse_machine_state(*record.value)) {
      spoken_of.insert(report->machine);
      beats.restore(*report);
    } else {
      log.warn("a machine state at " + record.place() + " cannot be read", report.error());
    }
    return;
  }
  if (!record.value) return forget(name);
  const auto machine = messages::parse_machine(*record.value);
  if (!machine) return log.warn("a machine at " + record.place() + " cannot be read", machine.error());
  if (machine->removed) return forget(machine->name);
  removed.erase(machine->name);
  beats.add(machine->name, clock.mono(), clock.now());
}

// With `mutex` held.
void HeartBeatManager::Parts::forget(const std::string& machine) {
  if (machine.empty()) return;
  beats.remove(machine);
  if (spoken_of.contains(machine)) removed.insert(machine);
}

void HeartBeatManager::Parts::hear(const ports::Record& record) {
  if (!record.value) return;
  if (record.topic == topics.service_events) {
    const auto event = messages::parse_service_event(*record.value);
    if (!event || (event->event != "engine_lost" && event->event != "engine_back")) return;
    const std::lock_guard lock(mutex);
    beats.engine(event->machine, event->event == "engine_lost");
    return;
  }
  const auto sample = messages::parse_machine_sample(*record.value);
  if (!sample) return;  // the Monitoring Service puts it aside
  const std::lock_guard lock(mutex);
  beats.beat(*sample, clock.mono(), clock.now());
}

// ---- what is said

void HeartBeatManager::Parts::run(const std::stop_token& stop) {
  // Before the registry and the last word about each machine are known, and the samples are being read, there
  // is nothing to judge.
  while (!stop.stop_requested() &&
         !(known.wait_caught_up(settings.round) && live.wait_ready(settings.round))) {
  }
  while (!stop.stop_requested()) {
    wait_a_round(stop);
    mind_our_own_absence();
    speak();
  }
  seat.reset();
}

void HeartBeatManager::Parts::wait_a_round(const std::stop_token& stop) {
  if (!lease.held()) {
    seat.reset();
    last_repeat.reset();  // whoever gets the lease says everything at once
    clock.sleep(settings.round, stop);
    return;
  }
  const Status member = be_a_member();
  if (member) return pause.reset();
  log.warn("being a member of the group fails, trying again", member.error());
  last_round.reset();  // we may have been deaf
  clock.sleep(pause.next(), stop);
}

// The records of the seat are known already: it is there to be a member, by which people see that we are up.
Status HeartBeatManager::Parts::be_a_member() {
  if (!seat) {
    SLIPWAY_ASSIGN(seat, bus.join_group(topics.group("heart_beat_manager"), {topics.machine_registry}));
  }
  SLIPWAY_ASSIGN(const auto records, seat->poll(100, settings.round));
  for (const auto& record : records)
    if (const auto stored = seat->store_offset({record.topic, record.partition}, record.offset + 1); !stored)
      log.debug("an offset was not stored: " + to_string(stored.error()));
  return {};
}

void HeartBeatManager::Parts::mind_our_own_absence() {
  const MonoTime now = clock.mono();
  const bool was_away = !last_round || now - *last_round > settings.asleep_after;
  last_round = now;
  if (was_away || !kafka_answers()) {
    const std::lock_guard lock(mutex);
    beats.listen_from(clock.mono());
  }
}

// Asked only when nobody at all is heard.
bool HeartBeatManager::Parts::kafka_answers() {
  const MonoTime now = clock.mono();
  {
    const std::lock_guard lock(mutex);
    if (const auto heard = beats.last_heard(); heard && now - *heard < kSilentForAll) return true;
  }
  if (last_ping && now - *last_ping < kSilentForAll) return true;
  last_ping = now;
  return bus.ping(kPingTimeout).has_value();
}

void HeartBeatManager::Parts::speak() {
  std::vector<std::string> take_back;
  const MonoTime now = clock.mono();
  const bool repeat = !last_repeat || now - *last_repeat >= settings.repeat_every;
  {
    const std::lock_guard lock(mutex);
    for (auto& report : beats.judge(now, clock.now())) unsaid[report.machine] = std::move(report);
    if (repeat)
      for (auto& report : beats.all()) unsaid[report.machine] = std::move(report);
    take_back.assign(removed.begin(), removed.end());
  }
  if (!lease.held()) return unsaid.clear();
  if (repeat) last_repeat = now;
  for (const auto& machine : take_back) {
    unsaid.erase(machine);
    if (!bus.publish({.topic = topics.machine_state,
                      .key = machine,
                      .value = std::nullopt,
                      .source = "/heart_beat_manager",
                      .type = "slipway.machine.state.v1",
                      .subject = machine}))
      return;  // the next round tries again
    const std::lock_guard lock(mutex);
    removed.erase(machine);
    spoken_of.erase(machine);
  }
  while (!unsaid.empty()) {
    const auto first = unsaid.begin();
    {
      // Before it is said: its removal may come in before our own word is read back.
      const std::lock_guard lock(mutex);
      spoken_of.insert(first->first);
    }
    if (const Status said = say(first->second); !said)
      return log.warn("saying that " + first->first + " is " + std::string(to_string(first->second.state)) +
                          " fails, trying again",
                      said.error());
    unsaid.erase(first);
  }
}

Status HeartBeatManager::Parts::say(const Beats::Report& report) {
  return bus.publish({.topic = topics.machine_state,
                      .key = report.machine,
                      .value = messages::to_json(report),
                      .source = "/heart_beat_manager",
                      .type = "slipway.machine.state.v1",
                      .subject = report.machine});
}

}  // namespace slipway::heart_beat_manager
