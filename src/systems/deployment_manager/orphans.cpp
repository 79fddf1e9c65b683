#include "systems/deployment_manager/orphans.hpp"

#include <fmt/format.h>

#include <filesystem>

#include "systems/deployment_manager/image_supply.hpp"
#include "systems/deployment_manager/names.hpp"

namespace slipway::deployment_manager {
namespace {

constexpr std::chrono::minutes kBeyondBuild{5};
constexpr std::chrono::hours kForgotten{1};

}  // namespace

Result<std::vector<Orphans::Suspect>> Orphans::find(ports::Engine& engine) const {
  const auto& settings = world_.settings;
  const auto ours = label(kLabelInstance, settings.instance);
  std::vector<Suspect> found;
  SLIPWAY_ASSIGN(const auto probes, engine.list({ours, label(kLabelRole, "probe")}));
  for (const auto& probe : probes) found.push_back({probe, settings.orphan_patience});
  SLIPWAY_ASSIGN(const auto agents, engine.list({ours, label(kLabelRole, "agent")}));
  for (const auto& agent : agents)
    if (agent.name != agent_name(settings.instance))
      found.push_back({agent, std::chrono::seconds{0}});  // two would number their samples side by side
  SLIPWAY_ASSIGN(const auto builds, engine.list({label(kLabelBuild, settings.instance)}));
  for (const auto& step : builds) {
    // An image's label is not handed on to services: what runs from it has a role.
    if (!find_label(step.labels, kLabelRole).empty()) continue;
    found.push_back({step, step.running ? settings.build_deadline + kBeyondBuild : settings.orphan_patience});
  }
  return found;
}

Status Orphans::sweep(const MachineEngine& machine) {
  SLIPWAY_ASSIGN(const auto suspects, find(*machine.engine));
  const MonoTime now = world_.clock.mono();
  std::map<std::string, MonoTime> still;
  for (const auto& [container, patience] : suspects) {
    const auto known = seen_since_.find(container.id);
    const MonoTime since = known == seen_since_.end() ? now : known->second;
    still[container.id] = since;
    if (now - since < patience) continue;
    world_.log.warn("an orphan is removed",
                    {{"container", container.name}, {"machine", machine.machine.name}});
    SLIPWAY_TRY(machine.engine->remove(container.id, true));
  }
  seen_since_ = std::move(still);
  return {};
}

void remove_left_image_files(const Log& log) {
  namespace fs = std::filesystem;
  std::error_code error;
  const auto now = fs::file_time_type::clock::now();
  for (auto entry = fs::directory_iterator(image_folder(), error);
       !error && entry != fs::directory_iterator(); entry.increment(error)) {
    const auto name = entry->path().filename().string();
    if (!name.starts_with(kImageFilePrefix)) continue;
    std::error_code gone;  // somebody else was faster
    const auto written = entry->last_write_time(gone);
    if (!gone && now - written > kForgotten && fs::remove(entry->path(), gone))
      log.warn("an image's archive left by a killed server is removed", {{"file", name}});
  }
  if (error) log.warn("the temporary folder cannot be read: " + error.message());
}

}  // namespace slipway::deployment_manager
