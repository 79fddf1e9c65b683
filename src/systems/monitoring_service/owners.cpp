#include "systems/monitoring_service/owners.hpp"

namespace slipway::monitoring_service {

Result<std::optional<Owners::Owner>> Owners::find(const std::string& machine,
                                                  const std::string& container_id) {
  if (const auto found = known_.find(container_id); found != known_.end()) return found->second;
  const MonoTime now = clock_.mono();
  const auto asked = asked_at_.find(machine);
  if (asked != asked_at_.end() && now - asked->second < kAskAgain) return std::nullopt;

  SLIPWAY_ASSIGN(const auto instances, repository_.instances().where("machine", machine, kMostOfAMachine));
  if (known_.size() > kMostKnown) known_.clear();  // learnt again when asked for
  if (asked_at_.size() > kMostKnown) asked_at_.clear();
  asked_at_[machine] = now;
  for (const auto& instance : instances)
    if (!instance.container_id.empty())
      known_[instance.container_id] = {instance.service_id,
                                       instance.release > 0 ? std::optional(instance.release) : std::nullopt};
  const auto found = known_.find(container_id);
  if (found == known_.end()) return std::nullopt;
  return found->second;
}

}  // namespace slipway::monitoring_service
