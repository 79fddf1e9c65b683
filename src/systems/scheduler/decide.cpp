#include "systems/scheduler/decide.hpp"

#include <fmt/format.h>

#include "base/time_text.hpp"

namespace slipway::scheduler {
namespace {

using messages::MachineState;

constexpr double kPerService = 5;
constexpr double kUnmeasured = 50;              // neither preferred nor shunned
constexpr std::chrono::seconds kFirstWord{60};  // within it a new machine's agent is put there and heard

bool is_unheard(const Candidate& candidate) {
  return !candidate.state || candidate.state->state == MachineState::kUnknown;
}

bool may_fit_soon(const Candidate& candidate, WallTime now) {
  return is_unheard(candidate) && now - candidate.machine.registered_at < kFirstWord &&
         candidate.machine.engine_error.empty() && !candidate.machine.cordoned;
}

/// Empty if it fits.
std::string why_not(const Candidate& candidate, WallTime now) {
  if (candidate.machine.cordoned) return "cordoned";
  if (!candidate.machine.engine_error.empty())
    return "its Engine does not answer: " + candidate.machine.engine_error;
  if (is_unheard(candidate)) return "no sample of it yet";
  if (candidate.state->state == MachineState::kUp) return {};
  const std::string cause = candidate.state->cause.empty() ? "" : " (" + candidate.state->cause + ")";
  return fmt::format("{}{} for {}", to_string(candidate.state->state), cause,
                     to_human(std::max(milliseconds{0}, now - candidate.state->since)));
}

double score(const Candidate& candidate) {
  const Load load = candidate.load.value_or(Load{kUnmeasured, kUnmeasured});
  return (load.cpu + load.memory) / 2 + kPerService * candidate.services;
}

std::string describe(const Candidate& candidate) {
  const std::string services =
      fmt::format("{} service{}", candidate.services, candidate.services == 1 ? "" : "s");
  if (!candidate.load) return "not measured yet, " + services;
  return fmt::format("processor {:.0f} %, memory {:.0f} %, {}", candidate.load->cpu, candidate.load->memory,
                     services);
}

}  // namespace

Choice decide(const std::vector<Candidate>& candidates, const std::string& prefer, WallTime now) {
  Choice choice;
  const Candidate* best = nullptr;
  std::size_t fitting = 0;
  for (const Candidate& candidate : candidates) {
    if (const std::string reason = why_not(candidate, now); !reason.empty()) {
      choice.refused[candidate.machine.name] = reason;
      choice.may_change_soon = choice.may_change_soon || may_fit_soon(candidate, now);
      continue;
    }
    ++fitting;
    if (candidate.machine.name == prefer) {
      choice.machine = prefer;
      choice.reason = "chosen before and still fit";
    }
    if (best == nullptr || score(candidate) < score(*best)) best = &candidate;
  }
  if (fitting > 0) choice.may_change_soon = false;
  if (!choice.machine.empty()) return choice;
  if (best == nullptr) {
    choice.reason = candidates.empty() ? "no machine is registered" : "no machine is fit";
    for (const auto& [machine, reason] : choice.refused)
      choice.reason +=
          fmt::format("{} {}: {}", &reason == &choice.refused.begin()->second ? ";" : ",", machine, reason);
    return choice;
  }
  choice.machine = best->machine.name;
  choice.reason = fitting == 1 ? fmt::format("the only one that is fit ({})", describe(*best))
                               : fmt::format("least loaded of {} ({})", fitting, describe(*best));
  return choice;
}

}  // namespace slipway::scheduler
