#pragma once

#include <chrono>
#include <optional>
#include <span>
#include <stop_token>
#include <string>

#include "messages/deployment_status.hpp"
#include "meta_file/service_spec.hpp"
#include "systems/deployment_manager/agent_keeper.hpp"
#include "systems/deployment_manager/broker_probe.hpp"
#include "systems/deployment_manager/journal.hpp"
#include "systems/deployment_manager/questions.hpp"

namespace slipway::deployment_manager {

/// What one run of the stages knows. Rebuilt from the journal's facts after a crash: `release` from the
/// Repository if the preparation is done, the rest by running the stages again.
struct StageContext {
  World& world;
  Journal& journal;
  AgentKeeper& agents;
  Questions& questions;
  BrokerProbe& broker_probe;
  std::stop_token stop;  ///< shutdown, lane lost or cancelled
  MonoTime deadline{};   ///< of the stage that runs

  std::optional<MachineEngine> machine;        ///< from `accepted` on
  std::optional<Source> source;                ///< `fetched`, until `built` has ended
  SourceRoom::Held source_room;                ///< of it, and of what is built from it
  std::optional<meta_file::ServiceSpec> spec;  ///< `validated`
  ports::Release release;                      ///< filled by `fetched` ... `bound`, then stored
};

/// How a stage ended well.
struct StageOutcome {
  std::string message;
  messages::State state = messages::State::kSucceeded;  ///< or kWarning
  std::string hint;                                     ///< of a warning
  /// The deployment ends here: unchanged, or a run-once service that completed.
  std::optional<messages::State> end;
  bool unchanged = false;
};
using StageResult = Result<StageOutcome>;

/// A container that was killed from outside, as by the end of its Engine, is started once more.
inline constexpr int kMostHealthWindows = 2;

struct StageStep {
  messages::Stage stage;
  StageResult (*run)(StageContext&);
  std::chrono::seconds deadline;
  bool announced;  ///< noted as `running` first: it may take a while
};

/// The nine stages in their order: the one array that orders them.
std::span<const StageStep> all_stages();

// Each in its own file.
StageResult accept(StageContext&);
StageResult fetch(StageContext&);
StageResult validate(StageContext&);
StageResult build(StageContext&);
StageResult ready_agent(StageContext&);
StageResult bind(StageContext&);
StageResult start(StageContext&);
StageResult become_healthy(StageContext&);
StageResult flow(StageContext&);

/// Reads, checks and digests the source that the release names (also for a rebuild of an older one) into
/// `context.source`.
Status fetch_source(StageContext& context, const std::string& path, const std::string& digest);

/// The wish is about a release that is there already: nothing is fetched, checked or built anew.
bool reuses_release(const messages::DeploymentRequest& request);

}  // namespace slipway::deployment_manager
