#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "systems/deployment_manager/names.hpp"
#include "systems/deployment_manager/stages/stage.hpp"

namespace slipway::deployment_manager {
namespace {

std::string correlation(const Journal& journal) {
  return fmt::format("{}:{}", journal.id(), journal.lane().epoch);
}

// Inline details register the machine, or must equal what is registered: the Node Manager judges.
Status register_machine(StageContext& context, const messages::MachineRef& ref) {
  const auto& journal = context.journal;
  const messages::MachineRequest add{.request_id = journal.id() + ":machine",
                                     .action = messages::MachineAction::kAdd,
                                     .machine = ref.name,
                                     .docker = ref.docker,
                                     .tls = ref.tls,
                                     .labels = {},
                                     .origin = "request",
                                     .requested_by = journal.request().requested_by,
                                     .correlation_id = correlation(journal)};
  SLIPWAY_ASSIGN(const auto reply,
                 context.questions.ask(add, context.world.settings.placement_patience, context.stop));
  return reply.error ? Status{*reply.error} : Status{};
}

// Which machine, and why.
Result<std::pair<std::string, std::string>> choose(StageContext& context) {
  auto& journal = context.journal;
  if (const std::string known = journal.fact("machine"); !known.empty())
    return std::pair{known, std::string{}};
  if (const auto& ref = journal.request().machine) {
    if (!ref->docker.empty()) SLIPWAY_TRY(register_machine(context, *ref));
    return std::pair{ref->name, std::string{"as asked"}};
  }
  const auto& lane = journal.lane();
  if (lane.committed && lane.wanted != ports::Wanted::kRemoved && !lane.machines.empty())
    return std::pair{lane.machines.front(), std::string{"where it is"}};
  const messages::PlacementRequest question{
      .request_id = journal.id(), .service_id = journal.service(), .correlation_id = correlation(journal)};
  SLIPWAY_ASSIGN(const auto reply,
                 context.questions.ask(question, context.world.settings.placement_patience, context.stop));
  if (reply.error) return *reply.error;
  return std::pair{reply.machine, reply.reason};
}

// The release that the request is about, where it is about one that is there.
Result<std::int64_t> wanted_release(const Journal& journal) {
  const auto& request = journal.request();
  const auto& lane = journal.lane();
  if (request.release) return *request.release;
  if (request.action == messages::Action::kRollback) {
    if (lane.previous) return *lane.previous;
    return not_found("rollback.no_previous",
                     fmt::format("{} has no release before the one that is committed", journal.service()),
                     "slipway show SERVICE lists its releases; --to N names one");
  }
  if (lane.committed && lane.wanted != ports::Wanted::kRemoved) return *lane.committed;
  return not_found("service.unknown", fmt::format("{} was never deployed, or is removed", journal.service()),
                   "deploy it first");
}

}  // namespace

StageResult accept(StageContext& context) {
  auto& journal = context.journal;
  const auto& request = journal.request();
  if (request.expect_release && journal.lane().committed != request.expect_release)
    return conflict("request.stale",
                    fmt::format("release {} was expected, {} is committed", *request.expect_release,
                                journal.lane().committed.value_or(0)));
  if (reuses_release(request) && journal.fact("from_release").empty()) {
    SLIPWAY_ASSIGN(const auto number, wanted_release(journal));
    SLIPWAY_TRY(journal.remember({{"from_release", std::to_string(number)}}));
  }
  SLIPWAY_ASSIGN(const auto choice, choose(context));
  SLIPWAY_ASSIGN(context.machine, open_machine(context.world, choice.first));
  journal.set_machine(choice.first);
  if (journal.fact("machine").empty()) SLIPWAY_TRY(journal.remember({{"machine", choice.first}}));
  return StageOutcome{
      .message = choice.second.empty() ? choice.first : fmt::format("{} ({})", choice.first, choice.second),
      .hint = {},
      .end = {}};
}

}  // namespace slipway::deployment_manager
