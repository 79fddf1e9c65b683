#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "base/clock.hpp"
#include "base/log.hpp"
#include "messages/topics.hpp"
#include "ports/bus.hpp"
#include "ports/repository.hpp"

namespace slipway::scheduler {

struct SchedulerSettings {
  /// How old a question may become while a machine without a first state is the only hope.
  std::chrono::seconds patience{20};
  /// Of the lease `scheduler`; give a name only where its predecessor is known to be dead.
  std::string holder{};
};

/// The role `scheduler`: answers "which machine?" with the least loaded one that is fit, and with reasons.
/// Many can run: the one that holds the lease is the member of the group `slipway.scheduler` and answers.
/// Runs on threads of its own from construction to destruction; everything handed in must outlive it.
class Scheduler {
 public:
  Scheduler(ports::Bus& bus, ports::Repository& repository, Clock& clock, Log log, messages::Topics topics,
            SchedulerSettings settings = {});
  ~Scheduler();

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace slipway::scheduler
