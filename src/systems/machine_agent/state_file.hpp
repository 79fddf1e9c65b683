#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "base/clock.hpp"
#include "base/log.hpp"
#include "base/result.hpp"
#include "systems/machine_agent/sampler.hpp"
#include "systems/machine_agent/sender.hpp"

namespace slipway::machine_agent {

/// What the agent says about itself where Kafka cannot: the Deployment Manager reads it through the Engine
/// when samples stop, and so sees "agent up, broker not reachable from there".
struct AgentState {
  SampleOrigin origin;
  std::string config;  ///< digest of the settings it runs with
  WallTime started{}, now{};
  std::int64_t seq = 0;  ///< of the newest sample
  Sender::State sender;
  bool clock_synchronized = false;  ///< by the kernel's own judgement (adjtimex)
};

std::string to_json(const AgentState& state);

/// True if the kernel holds its clock for synchronized.
bool is_clock_synchronized();

/// Writes the state every few seconds: to a temporary file beside it, then renamed, so that a reader never
/// sees half of one. A write that fails is logged once, until one succeeds.
class StateFile {
 public:
  static constexpr milliseconds kEvery{5000};
  StateFile(std::filesystem::path path, Log log) : path_(std::move(path)), log_(std::move(log)) {}
  bool is_due(MonoTime now) const { return now >= due_; }
  void write(const AgentState& state, MonoTime now);

 private:
  Status store(const std::string& text) const;

  std::filesystem::path path_;
  Log log_;
  MonoTime due_{};
  bool failing_ = false;
};

}  // namespace slipway::machine_agent
