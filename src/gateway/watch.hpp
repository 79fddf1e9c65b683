#pragma once

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/thread.hpp"
#include "gateway/world.hpp"
#include "messages/machine.hpp"
#include "messages/machine_sample.hpp"
#include "ports/request_loop.hpp"

namespace slipway::gateway {

/// What was seen of a topic's end: a sensor reports when it moves.
struct TopicFlow {
  std::int64_t end = 0;
  std::optional<WallTime> last_moved;
};

/// The documents that status is made of.
struct Documents {
  std::vector<ports::Service> services;
  std::vector<ports::Lane> lanes;
  std::vector<ports::Instance> instances;
  std::vector<ports::Binding> bindings;
  std::vector<messages::Machine> machines;
};
Result<Documents> load_documents(ports::Repository& repository);

struct LiveMachine {
  std::optional<messages::MachineStateReport> state;
  std::optional<messages::MachineSample> sample;
  WallTime sample_at{};  ///< when the gateway got it
};

/// What the watch has seen when it was asked.
struct Observed {
  std::optional<Error> kafka;                       ///< why it does not answer
  std::optional<Error> repository;                  ///< why it does not answer
  std::map<std::string, int, std::less<>> members;  ///< role -> members of its group
  std::map<std::string, TopicFlow> flows;
  std::map<std::string, LiveMachine> machines;
  std::map<std::string, std::string>
      engine_errors;  ///< machine -> why its Engine does not answer the gateway
  Documents documents;
  std::optional<WallTime> documents_at;  ///< none: never read yet
  WallTime started_at{};
};

/// Looks at all eleven systems every few seconds, so that `status` answers at once also when one of them does
/// not. Any thread may call.
class Watch {
 public:
  explicit Watch(World& world);
  Watch(const Watch&) = delete;  // its threads have its address
  Watch& operator=(const Watch&) = delete;

  /// Documents are read anew if the Repository answered last time; else they are the last known ones.
  Observed observe();
  std::optional<messages::MachineSample> last_sample(const std::string& machine) const;

 private:
  void look(const std::stop_token& stop);
  void look_at_engines(const std::stop_token& stop);
  void look_at_engine(const messages::Machine& machine);
  void look_at_peers(const std::stop_token& stop);
  void look_at_groups();
  void look_at_flows();
  void look_at_flow(const std::string& topic, std::int64_t end);
  void refresh_documents();
  void take_state(const ports::Record& record);
  void take_sample(const ports::Record& record);

  World& world_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool looked_ = false;  ///< at everything, once
  Observed seen_;
  ports::TopicReader states_;
  ports::TopicReader samples_;
  Worker engines_worker_;
  Worker peers_worker_;
  Worker worker_;  // last: uses all the others
};

}  // namespace slipway::gateway
