#include "systems/node_manager/registry.hpp"

namespace slipway::node_manager {

Registry::Registry(ports::Bus& bus, ports::Repository& repository, messages::Topics topics)
    : bus_(bus), repository_(repository), topics_(std::move(topics)) {}

Result<std::optional<messages::Machine>> Registry::find(const std::string& name) {
  SLIPWAY_ASSIGN(const auto found, repository_.machines().find(name));
  return found ? std::optional(found->machine) : std::nullopt;
}

Result<std::vector<messages::Machine>> Registry::all() {
  SLIPWAY_ASSIGN(const auto documents, repository_.machines().all());
  std::vector<messages::Machine> machines;
  for (const auto& document : documents) machines.push_back(document.machine);
  return machines;
}

Status Registry::put(const messages::Machine& machine) {
  std::lock_guard lock(mutex_);
  SLIPWAY_TRY(repository_.machines().put({machine}));
  return publish(machine, false);
}

Status Registry::remove(const messages::Machine& machine) {
  std::lock_guard lock(mutex_);
  SLIPWAY_TRY(repository_.machines().remove(machine.name));
  auto last_word = machine;
  last_word.removed = true;
  SLIPWAY_TRY(publish(last_word, false));
  return publish(machine, true);
}

Status Registry::change(const std::string& name, bool publishes,
                        const std::function<bool(messages::Machine&)>& change) {
  std::lock_guard lock(mutex_);
  SLIPWAY_ASSIGN(auto found, repository_.machines().find(name));
  if (!found || !change(found->machine)) return {};
  SLIPWAY_TRY(repository_.machines().put(*found));
  return publishes ? publish(found->machine, false) : Status{};
}

Status Registry::publish_all() {
  SLIPWAY_ASSIGN(const auto machines, all());
  for (const auto& machine : machines) SLIPWAY_TRY(publish(machine, false));
  return {};
}

Status Registry::publish(const messages::Machine& machine, bool tombstone) {
  return bus_.publish({.topic = topics_.machine_registry,
                       .key = machine.name,
                       .value = tombstone ? std::nullopt : std::optional(messages::to_json(machine)),
                       .source = "/node_manager",
                       .type = "slipway.machine.registered.v1",
                       .subject = machine.name});
}

}  // namespace slipway::node_manager
