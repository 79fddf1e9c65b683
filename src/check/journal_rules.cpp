#include <fmt/format.h>

#include <string>
#include <vector>

#include "check/rules.hpp"

namespace slipway::check {
namespace {

using ports::Deployment;

std::string place_of(const Deployment& deployment) {
  return fmt::format("deployment {} of {}", deployment.request_id, deployment.service_id);
}

std::string fix_of(const Deployment& deployment) {
  return fmt::format(
      "the document deployments/{} and the server's log say how far it came; ask again under another id",
      deployment.request_id);
}

/// What is wrong with the stages of one that has ended, or empty.
std::string wrong_stages(const Deployment& deployment) {
  std::size_t finals = 0;
  for (std::size_t i = 0; i < deployment.stages.size(); ++i) {
    const auto& stage = deployment.stages[i];
    if (stage.seq != static_cast<std::int64_t>(i) + 1)
      return fmt::format("its stage {} has seq {}", i + 1, stage.seq);
    finals += stage.final ? 1 : 0;
  }
  if (finals != 1) return fmt::format("{} of its {} stages are final", finals, deployment.stages.size());
  const auto& last = deployment.stages.back();
  if (!last.final) return "its final stage is not its last";
  if (last.state != *deployment.end)
    return fmt::format("it ended as {}, its last stage says {}", messages::to_string(*deployment.end),
                       messages::to_string(last.state));
  return {};
}

/// How Kafka and the document differ, or empty. More may be on Kafka than was read of a document that grows.
std::string wrong_messages(const Deployment& deployment, const std::set<Told>& told) {
  std::set<std::int64_t> seen;
  for (const Told& status : told) {
    seen.insert(status.seq);
    if (status.seq < 1 || status.seq > static_cast<std::int64_t>(deployment.stages.size())) {
      if (!deployment.end && status.seq > 0) continue;
      return fmt::format("Kafka has seq {}, it has {} stages", status.seq, deployment.stages.size());
    }
    const auto& stage = deployment.stages[static_cast<std::size_t>(status.seq - 1)];
    if (stage.stage != status.stage || stage.state != status.state || stage.final != status.final)
      return fmt::format("seq {} is {} {} on Kafka and {} {} in the Repository", status.seq,
                         messages::to_string(status.stage), messages::to_string(status.state),
                         messages::to_string(stage.stage), messages::to_string(stage.state));
  }
  for (std::int64_t seq = 1; seq <= deployment.published; ++seq)
    if (!seen.contains(seq)) return fmt::format("seq {} is not on Kafka", seq);
  return {};
}

void check_deployment(const Snapshot& snapshot, const Deployment& deployment, Findings& findings) {
  const auto add = [&](std::string code, std::string what) {
    findings.push_back({std::move(code), place_of(deployment), std::move(what), fix_of(deployment)});
  };
  if (!deployment.end) {
    if (!snapshot.held.contains(deployment.request_id))
      add("deployment.lost", "it has no end, and no lane works on it or has it waiting");
  } else {
    if (const auto wrong = wrong_stages(deployment); !wrong.empty()) add("deployment.stages", wrong);
    if (deployment.open) add("deployment.open", "it has ended and still counts as open");
    if (deployment.published != static_cast<std::int64_t>(deployment.stages.size()))
      add("deployment.unpublished", fmt::format("{} of its {} stages are acknowledged by Kafka",
                                                deployment.published, deployment.stages.size()));
  }
  if (deployment.created_at < snapshot.told_since) return;
  static const std::set<Told> kNothing;
  const auto told = snapshot.told.find(deployment.request_id);
  const auto wrong = wrong_messages(deployment, told == snapshot.told.end() ? kNothing : told->second);
  if (!wrong.empty()) add("deployment.messages", wrong);
}

void check_lane(const Snapshot& snapshot, const ports::Lane& lane, Findings& findings) {
  std::vector<std::string> ids = lane.queue;
  if (lane.active) ids.push_back(*lane.active);
  for (const auto& id : ids) {
    const auto found = snapshot.deployments.find(id);
    const bool known = found != snapshot.deployments.end();
    if (known && !found->second.end) continue;
    findings.push_back(
        {"lane.stuck", fmt::format("service {}, request {}", lane.service_id, id),
         known ? "its lane holds a deployment that has ended"
               : "its lane holds a deployment that has no document",
         "start the server that owned it, or remove the request from the document lanes/" + lane.service_id});
  }
}

}  // namespace

void check_journal(const Snapshot& snapshot, Findings& findings) {
  for (const auto& [id, deployment] : snapshot.deployments) check_deployment(snapshot, deployment, findings);
  for (const auto& lane : snapshot.lanes) check_lane(snapshot, lane, findings);
  for (const auto& id : snapshot.told_without_document)
    findings.push_back(
        {"deployment.unknown", "deployment " + id,
         "Kafka has its status messages, the Repository has no document of it",
         "somebody else writes to the status topic, or the Repository is another one or older"});
}

}  // namespace slipway::check
