#include "systems/deployment_manager/journal.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace slipway::deployment_manager {
namespace {

constexpr std::chrono::seconds kStorePatience{60};

}  // namespace

Journal::Journal(World& world, Outbox& outbox, ports::Deployment deployment, ports::Lane lane,
                 std::stop_token stop)
    : world_(world),
      outbox_(outbox),
      deployment_(std::move(deployment)),
      lane_(std::move(lane)),
      stop_(std::move(stop)),
      machine_(fact("machine")) {}

Status Journal::lost() const {
  return conflict(std::string(kLaneLost),
                  fmt::format("the lane of {} is held by somebody else now", service()));
}

Status Journal::note(messages::Stage stage, messages::State state, const Note& note) {
  messages::DeploymentStatus status;
  status.request_id = id();
  status.service_id = service();
  status.release = release();
  status.machine = machine_;
  status.seq = static_cast<std::int64_t>(deployment_.stages.size()) + 1;
  status.stage = stage;
  status.state = state;
  status.final = note.final;
  status.at = world_.clock.now();
  status.took = note.took;
  status.message = note.message;
  status.image = fact("image");
  status.container_id = fact("container_id");
  status.error = note.error;
  status.error_stage = note.error_stage;
  status.serving = serving();
  status.unchanged = note.unchanged;
  status.correlation_id = request().correlation_id;
  constexpr std::string_view kTopic = "topic.";
  for (const auto& [name, value] : deployment_.facts)
    if (name.starts_with(kTopic)) status.topics[name.substr(kTopic.size())] = value;

  const auto appended = persistently(world_, kStorePatience, stop_, [&]() -> Result<bool> {
    auto result = world_.repository.deployments().append(id(), lane_.epoch, status);
    if (result || result.error().kind != ErrorKind::kUnknown) return result;
    // The answer was lost, the write perhaps not: look before saying it again.
    SLIPWAY_ASSIGN(const auto stored, world_.repository.deployments().find(id()));
    if (stored && stored->epoch == lane_.epoch &&
        static_cast<std::int64_t>(stored->stages.size()) >= status.seq)
      return true;
    return result;
  });
  if (!appended) return appended.error();
  if (!*appended) return lost();
  deployment_.stages.push_back(std::move(status));
  if (note.final) deployment_.end = state;
  outbox_.wake(id());
  return {};
}

bool Journal::noted(messages::Stage stage, messages::State state) const {
  return std::ranges::any_of(deployment_.stages,
                             [&](const auto& entry) { return entry.stage == stage && entry.state == state; });
}

Status Journal::remember(const std::map<std::string, std::string>& facts) {
  const auto stored = persistently(world_, kStorePatience, stop_, [&] {
    return world_.repository.deployments().set_facts(id(), lane_.epoch, facts);
  });
  if (!stored) return stored.error();
  if (!*stored) return lost();
  for (const auto& [name, value] : facts) deployment_.facts[name] = value;
  return {};
}

std::string Journal::fact(const std::string& name) const {
  const auto found = deployment_.facts.find(name);
  return found == deployment_.facts.end() ? std::string{} : found->second;
}

std::optional<std::int64_t> Journal::release() const {
  if (const std::string number = fact("release"); !number.empty()) return std::stoll(number);
  return serving();
}

Status Journal::check_lane() {
  const auto lane =
      persistently(world_, kStorePatience, stop_, [&] { return world_.repository.lanes().find(service()); });
  if (!lane) return lane.error();
  if (!*lane || (*lane)->active != id() || (*lane)->epoch != lane_.epoch) return lost();
  lane_ = **lane;
  if (lane_.cancel == id() && !is_cut_over())
    return conflict(std::string(kCancelled), "the request was cancelled");
  return {};
}

Status Journal::cut_over(const ports::LaneStore::Cutover& cutover) {
  const auto decided = persistently(world_, kStorePatience, stop_, [&] {
    return world_.repository.lanes().cut_over(service(), id(), lane_.epoch, cutover);
  });
  if (!decided) return decided.error();
  if (auto now = check_lane(); !now) return now;
  return *decided ? Status{} : lost();
}

std::optional<std::int64_t> Journal::serving() const {
  return lane_.wanted == ports::Wanted::kRunning ? lane_.committed : std::nullopt;
}

}  // namespace slipway::deployment_manager
