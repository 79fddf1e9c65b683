#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <vector>

#include "base/clock.hpp"
#include "base/log.hpp"
#include "messages/machine.hpp"
#include "messages/machine_sample.hpp"
#include "messages/topics.hpp"
#include "ports/request_loop.hpp"
#include "systems/scheduler/decide.hpp"

namespace slipway::scheduler {

/// What Kafka says of the machines: the registry, their states and their last samples. Any thread may ask.
class Machines {
 public:
  Machines(ports::Bus& bus, Clock& clock, Log log, const messages::Topics& topics);

  /// True once the registry and the states were read to their end: nothing is known before.
  bool known() const;
  /// Everything but the number of services.
  std::vector<Candidate> candidates() const;

 private:
  struct Measured {
    Load load;
    MonoTime at{};
  };
  void take(const ports::Record& record);
  void take_sample(const messages::MachineSample& sample);

  Clock& clock_;
  const Log log_;
  const messages::Topics topics_;
  mutable std::mutex mutex_;
  std::map<std::string, messages::Machine> registered_;         // guarded by mutex_
  std::map<std::string, messages::MachineStateReport> states_;  // guarded by mutex_
  std::map<std::string, Measured> measured_;                    // guarded by mutex_
  ports::TopicReader facts_;                                    // these last: their bodies use all the others
  ports::TopicReader samples_;
};

}  // namespace slipway::scheduler
