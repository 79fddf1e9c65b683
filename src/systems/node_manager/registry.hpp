#pragma once

#include <functional>
#include <mutex>
#include <optional>
#include <string>

#include "base/clock.hpp"
#include "messages/topics.hpp"
#include "ports/bus.hpp"
#include "ports/repository.hpp"

namespace slipway::node_manager {

/// The collection `machines` and its image on the compacted registry topic: stored first, then published. Any
/// thread may call; changes of one machine do not get lost between threads.
class Registry {
 public:
  Registry(ports::Bus& bus, ports::Repository& repository, messages::Topics topics);

  Result<std::optional<messages::Machine>> find(const std::string& name);
  Result<std::vector<messages::Machine>> all();
  Status put(const messages::Machine& machine);
  Status remove(const messages::Machine& machine);
  /// Changes what is stored, if the machine is registered; published only if `publish`.
  Status change(const std::string& name, bool publish, const std::function<bool(messages::Machine&)>& change);
  /// Publishes every machine again: what a predecessor may have stored but not said.
  Status publish_all();

 private:
  Status publish(const messages::Machine& machine, bool tombstone);
  ports::Bus& bus_;
  ports::Repository& repository_;
  messages::Topics topics_;
  std::mutex mutex_;  // one read-change-write at a time
};

}  // namespace slipway::node_manager
