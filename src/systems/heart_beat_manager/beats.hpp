#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "messages/machine.hpp"
#include "messages/machine_sample.hpp"

namespace slipway::heart_beat_manager {

struct BeatsSettings {
  std::chrono::seconds suspect_after{15};
  std::chrono::seconds down_after{30};
};

/// Who is up, suspect or down, decided from samples. The sample is the beat: a machine is up with its first
/// one, and nothing but a sample makes it up. Silence counts only as far as we were listening ourselves:
/// after a start, a pause or an outage of Kafka it is counted anew, so that nobody is called down for our own
/// absence. No I/O; time comes in as arguments. Not for sharing between threads.
class Beats {
 public:
  using Report = messages::MachineStateReport;

  explicit Beats(BeatsSettings settings = {}) : settings_(settings) {}

  /// From now on, and not before, silence means something.
  void listen_from(MonoTime now) { listening_since_ = now; }

  /// It is registered: its silence counts from now.
  void add(const std::string& machine, MonoTime now, WallTime wall);
  void remove(const std::string& machine);
  /// What was last said of it, perhaps by a predecessor; heeded only while we have nothing to say ourselves.
  void restore(const Report& report);
  /// A sample arrived. Those of machines that nobody registered are ignored.
  void beat(const messages::MachineSample& sample, MonoTime now, WallTime wall);
  /// Its Engine does not answer, or answers again.
  void engine(const std::string& machine, bool lost);

  /// Judges everybody; the machines whose state or cause is another than at the last call.
  std::vector<Report> judge(MonoTime now, WallTime wall);
  std::vector<Report> all() const;
  /// When any sample arrived last.
  std::optional<MonoTime> last_heard() const { return last_heard_; }

 private:
  struct Machine {
    Report report;
    MonoTime registered{};
    std::optional<MonoTime> last_beat;
    bool engine_lost = false;
    bool judged = false;
    Report told;  ///< as the last judge() gave it
  };
  messages::MachineState state_of(const Machine& machine, MonoTime now) const;

  BeatsSettings settings_;
  MonoTime listening_since_{};
  std::optional<MonoTime> last_heard_;
  std::map<std::string, Machine> machines_;
  std::map<std::string, Report> restored_;  // said before the machine's registration was read
};

}  // namespace slipway::heart_beat_manager
