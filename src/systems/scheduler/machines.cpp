#include "systems/scheduler/machines.hpp"

namespace slipway::scheduler {
namespace {

constexpr double kNewest = 0.2;             // weight of a sample: smoothed over some ten seconds
constexpr std::chrono::seconds kFresh{30};  // a measurement older than this says nothing

Load load_of(const messages::MachineSample& sample) {
  const auto total = static_cast<double>(sample.mem.total);
  const double used = total > 0 ? 100.0 * (1.0 - static_cast<double>(sample.mem.available) / total) : 0;
  return {sample.cpu.used, used};
}

}  // namespace

Machines::Machines(ports::Bus& bus, Clock& clock, Log log, const messages::Topics& topics)
    : clock_(clock),
      log_(std::move(log)),
      topics_(topics),
      facts_(bus, clock, log_, {topics.machine_registry, topics.machine_state}, ports::From::kBeginning,
             [this](const ports::Record& record) { take(record); }),
      samples_(bus, clock, log_, {topics.machine_stats}, ports::From::kEnd,
               [this](const ports::Record& record) { take(record); }) {}

bool Machines::known() const {
  return facts_.wait_caught_up(milliseconds{0});
}

std::vector<Candidate> Machines::candidates() const {
  std::lock_guard lock(mutex_);
  std::vector<Candidate> out;
  for (const auto& [name, machine] : registered_) {
    Candidate candidate{.machine = machine, .state = {}, .load = {}};
    if (const auto state = states_.find(name); state != states_.end()) candidate.state = state->second;
    const auto measured = measured_.find(name);
    if (measured != measured_.end() && clock_.mono() - measured->second.at < kFresh)
      candidate.load = measured->second.load;
    out.push_back(std::move(candidate));
  }
  return out;
}

void Machines::take(const ports::Record& record) {
  const std::string key = record.key.value_or("");
  if (!record.value) {  // a tombstone
    std::lock_guard lock(mutex_);
    if (record.topic == topics_.machine_registry) registered_.erase(key);
    if (record.topic == topics_.machine_state) states_.erase(key);
    return;
  }
  const auto said = [&](const Error& error) {
    log_.warn("skipping what cannot be read at " + record.place(), error);
  };
  if (record.topic == topics_.machine_stats) {
    const auto sample = messages::parse_machine_sample(*record.value);
    return sample ? take_sample(*sample) : said(sample.error());
  }
  if (record.topic == topics_.machine_registry) {
    const auto machine = messages::parse_machine(*record.value);
    if (!machine) return said(machine.error());
    std::lock_guard lock(mutex_);
    if (machine->removed)
      registered_.erase(machine->name);
    else
      registered_[machine->name] = *machine;
    return;
  }
  const auto state = messages::parse_machine_state(*record.value);
  if (!state) return said(state.error());
  std::lock_guard lock(mutex_);
  states_[state->machine] = *state;
}

void Machines::take_sample(const messages::MachineSample& sample) {
  const Load load = load_of(sample);
  std::lock_guard lock(mutex_);
  const auto [found, is_new] = measured_.try_emplace(sample.machine, Measured{load, clock_.mono()});
  if (is_new) return;
  Measured& measured = found->second;
  if (clock_.mono() - measured.at >= kFresh) {
    measured.load = load;
  } else {
    measured.load.cpu += kNewest * (load.cpu - measured.load.cpu);
    measured.load.memory += kNewest * (load.memory - measured.load.memory);
  }
  measured.at = clock_.mono();
}

}  // namespace slipway::scheduler
