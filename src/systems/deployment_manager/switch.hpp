#pragma once

#include <string>
#include <vector>

#include "systems/deployment_manager/stages/stage.hpp"

// What `started` does, and how it is undone: shared by the stage, by failures after it and by the clean-up at
// the end.
namespace slipway::deployment_manager {

/// A container that served before: stopped but kept until the new one is accepted.
struct OldContainer {
  std::string machine;
  std::string id;
};
std::vector<OldContainer> old_containers(const Journal& journal);
std::string encode_old(const std::vector<OldContainer>& old);

/// Running containers of the service, on the machines where it is wanted, other than `except_id`.
Result<std::vector<OldContainer>> find_running(StageContext& context, const std::string& except_id);

/// Stops them so that no restart of the Engine brings them back; they stay.
Status stop_old(StageContext& context, const std::vector<OldContainer>& old);

/// After a failure or a cancel: the new container goes, the exact old ones serve again. What could not be
/// done is the reconcile loop's, and in the error.
Status undo_switch(StageContext& context);

/// After the cutover: what served before, and whatever else of lower releases is left, is removed by id.
Status remove_old(StageContext& context);

/// Makes the container of a release by its name, adopting one of ours that is there, and puts its files into
/// it. `adopted` tells that it ran, or had run, before.
struct Made {
  std::string id;
  bool adopted = false;
  bool running = false;
};
Result<Made> make_container(World& world, AgentKeeper& agents, const MachineEngine& machine,
                            const ports::Release& release, const meta_file::ServiceSpec& spec,
                            const std::string& request_id);

/// Writes what runs into `instances`. `proven`: the stage `healthy` has seen it answer, while the Engine's
/// own check, which comes only after a whole interval, still says "starting".
Status record_instance(World& world, const MachineEngine& machine, const ports::Release& release,
                       const std::string& container_id, const std::string& state, bool proven = false);

/// Exit code, OOM, last lines and the rest, kept after the container is gone; `error` gets the last lines.
Status keep_failure_package(StageContext& context, messages::Stage stage, Error& error);

}  // namespace slipway::deployment_manager
