#include "systems/heart_beat_manager/beats.hpp"

#include <algorithm>

namespace slipway::heart_beat_manager {

using messages::MachineState;

void Beats::add(const std::string& machine, MonoTime now, WallTime wall) {
  if (machines_.contains(machine)) return;
  Machine& added = machines_[machine];
  added.registered = now;
  added.report.machine = machine;
  added.report.since = wall;
  if (const auto said = restored_.find(machine); said != restored_.end()) added.report = said->second;
}

void Beats::remove(const std::string& machine) {
  machines_.erase(machine);
  restored_.erase(machine);
}

void Beats::restore(const Report& report) {
  restored_[report.machine] = report;
  const auto found = machines_.find(report.machine);
  if (found != machines_.end() && !found->second.judged) found->second.report = report;
}

void Beats::beat(const messages::MachineSample& sample, MonoTime now, WallTime wall) {
  last_heard_ = now;
  const auto found = machines_.find(sample.machine);
  if (found == machines_.end()) return;
  Machine& machine = found->second;
  machine.last_beat = now;
  machine.report.last_seq = sample.seq;
  machine.report.last_sample_at = wall;
  machine.report.clock_offset_ms = sample.t - to_ms(wall);
}

void Beats::engine(const std::string& machine, bool lost) {
  if (const auto found = machines_.find(machine); found != machines_.end()) found->second.engine_lost = lost;
}

MachineState Beats::state_of(const Machine& machine, MonoTime now) const {
  MonoTime since = std::max(machine.registered, listening_since_);
  if (machine.last_beat) since = std::max(since, *machine.last_beat);
  const auto silence = now - since;
  if (silence >= settings_.down_after) return MachineState::kDown;
  if (machine.last_beat && silence < settings_.suspect_after) return MachineState::kUp;
  // Silent for too short to say anything new; one that has never been up is not suspect.
  if (silence >= settings_.suspect_after && machine.report.state == MachineState::kUp)
    return MachineState::kSuspect;
  return machine.report.state;
}

std::vector<Beats::Report> Beats::judge(MonoTime now, WallTime wall) {
  std::vector<Report> changed;
  for (auto& [name, machine] : machines_) {
    const MachineState state = state_of(machine, now);
    if (state != machine.report.state) machine.report.since = wall;
    machine.report.state = state;
    const bool silent = state == MachineState::kSuspect || state == MachineState::kDown;
    // No sample and no Engine: what they have in common is the machine (or the way to it).
    machine.report.cause = machine.engine_lost ? (silent ? "machine" : "engine") : (silent ? "agent" : "");
    if (!machine.judged || machine.told.state != state || machine.told.cause != machine.report.cause)
      changed.push_back(machine.report);
    machine.judged = true;
    machine.told = machine.report;
  }
  return changed;
}

std::vector<Beats::Report> Beats::all() const {
  std::vector<Report> reports;
  for (const auto& [name, machine] : machines_)
    if (machine.judged) reports.push_back(machine.report);
  return reports;
}

}  // namespace slipway::heart_beat_manager
