#include "systems/machine_agent/agent.hpp"

#include "systems/machine_agent/tick.hpp"

namespace slipway::machine_agent {
namespace {

constexpr milliseconds kLastWords{5000};  // docker stop kills after 10 s

}  // namespace

Agent::Agent(Parts parts, Settings settings, SampleOrigin origin)
    : parts_(std::move(parts)),
      settings_(std::move(settings)),
      origin_(std::move(origin)),
      started_(parts_.clock.now()) {}

void Agent::run(const std::stop_token& stop) {
  auto& clock = parts_.clock;
  Tick tick{settings_.interval};
  parts_.sampler.step(clock.now(), clock.mono(), 0);  // the first reading has nothing to differ from
  write_state();
  while (!stop.stop_requested()) {
    const auto now = clock.now();
    if (const auto wait = tick.wait(now); wait > milliseconds{0}) {
      clock.sleep(wait, stop);
      continue;
    }
    measure(now);
    parts_.sender.run(settings_.interval / 2);
    if (parts_.state_file.is_due(clock.mono())) write_state();
  }
  if (!parts_.sender.drain(kLastWords))
    parts_.log.warn("stopped with samples unsent",
                    {{"samples", std::to_string(parts_.sender.state().spooled)}});
  write_state();
}

void Agent::measure(WallTime now) {
  const auto* sample = parts_.sampler.step(now, parts_.clock.mono(), parts_.sender.dropped());
  if (sample == nullptr) return;
  seq_ = sample->seq;
  json_.clear();
  append_json(*sample, json_);
  parts_.sender.put(sample->seq, now, json_);
}

void Agent::write_state() {
  AgentState state{.origin = origin_,
                   .config = settings_.config,
                   .started = started_,
                   .now = parts_.clock.now(),
                   .seq = seq_,
                   .sender = parts_.sender.state(),
                   .clock_synchronized = is_clock_synchronized()};
  parts_.state_file.write(state, parts_.clock.mono());
}

}  // namespace slipway::machine_agent
