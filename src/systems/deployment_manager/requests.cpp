#include "systems/deployment_manager/requests.hpp"

#include <fmt/format.h>

#include "base/digest.hpp"

namespace slipway::deployment_manager {
namespace {

using messages::State;

constexpr std::chrono::hours kDefaultDeadline{1};
constexpr std::chrono::days kKept{31};  // longer than the request topic keeps its records

ports::Deployment document(const World& world, const messages::DeploymentRequest& request) {
  ports::Deployment deployment;
  deployment.request_id = request.request_id;
  deployment.service_id = request.service_id;
  deployment.request = request;
  deployment.request_digest = sha256_hex(messages::to_json(request));
  deployment.created_at = world.clock.now();
  deployment.expires_at = deployment.created_at + kKept;
  return deployment;
}

messages::DeploymentStatus only_status(const World& world, const messages::DeploymentRequest& request,
                                       State state, const std::string& message,
                                       const std::optional<Error>& error) {
  messages::DeploymentStatus status;
  status.request_id = request.request_id;
  status.service_id = request.service_id;
  status.seq = 1;
  status.stage = messages::Stage::kDone;
  status.state = state;
  status.final = true;
  status.at = world.clock.now();
  status.message = message;
  status.error = error;
  if (error) status.error_stage = "accepted";
  status.correlation_id = request.correlation_id;
  return status;
}

// A cancel that came before its request stands here in the request's place.
bool is_tombstone(const ports::Deployment& known) {
  return known.request.action == messages::Action::kCancel && known.request.cancels.empty();
}

Error other_content(const ports::Deployment& known, const std::string& digest) {
  return conflict("request.conflict",
                  fmt::format("request {} came before with another content ({} then, {} now)",
                              known.request_id, known.request_digest.substr(0, 12), digest.substr(0, 12)),
                  "use a new request_id");
}

Error gone() {
  return unavailable("repository.race", "the deployment was there and is gone");
}

}  // namespace

Requests::Requests(World& world, Outbox& outbox, LaneKeeper& lanes)
    : world_(world), outbox_(outbox), lanes_(lanes) {}

Status Requests::handle(const ports::Record& record) {
  SLIPWAY_ASSIGN(auto parsed, ports::read_request(world_.bus, record, messages::parse_deployment_request));
  auto& request = parsed.request;
  world_.failpoints.hit(Failpoint::kPolled, request.service_id);
  if (parsed.refusal) return refuse(request, *parsed.refusal);
  if (request.action == messages::Action::kCancel) return cancel(request);
  // A first start on a week-old topic deploys nothing.
  if (!request.deadline) request.deadline = record.timestamp + kDefaultDeadline;
  return accept(request);
}

Status Requests::accept(const messages::DeploymentRequest& request) {
  const auto deployment = document(world_, request);
  SLIPWAY_ASSIGN(const bool fresh, world_.repository.deployments().insert(deployment));
  if (!fresh) return again(request, deployment.request_digest);
  world_.failpoints.hit(Failpoint::kInserted, request.service_id);
  SLIPWAY_ASSIGN(const auto lane, world_.repository.lanes().enqueue(request.service_id, request.request_id));
  world_.log.info("request accepted", {{"request", request.request_id},
                                       {"service", request.service_id},
                                       {"action", std::string(messages::to_string(request.action))}});
  lanes_.wake();
  return {};
}

Status Requests::again(const messages::DeploymentRequest& request, const std::string& digest) {
  SLIPWAY_ASSIGN(const auto known, world_.repository.deployments().find(request.request_id));
  if (!known) return gone();
  // The default deadline comes from the record, so it differs when a person sends the same line again.
  auto same_deadline = request;
  same_deadline.deadline = known->request.deadline;
  if (digest != known->request_digest &&
      sha256_hex(messages::to_json(same_deadline)) != known->request_digest && !is_tombstone(*known))
    return other_content(*known, digest);
  if (!known->end) {  // perhaps it was never queued
    world_.failpoints.hit(Failpoint::kInserted, known->service_id);
    SLIPWAY_ASSIGN(const auto lane, world_.repository.lanes().enqueue(known->service_id, request.request_id));
    lanes_.wake();
  }
  if (!known->stages.empty()) outbox_.repeat_last(request.request_id);
  return {};
}

Status Requests::end_at_once(const messages::DeploymentRequest& request, State state,
                             const std::string& message, const std::optional<Error>& error) {
  SLIPWAY_ASSIGN(const bool fresh, insert_ended(request, state, message, error));
  if (fresh) return {};
  SLIPWAY_ASSIGN(const auto known, world_.repository.deployments().find(request.request_id));
  if (!known) return gone();
  return say_again(request, *known);
}

Result<bool> Requests::insert_ended(const messages::DeploymentRequest& request, State state,
                                    const std::string& message, const std::optional<Error>& error) {
  auto deployment = document(world_, request);
  auto status = only_status(world_, request, state, message, error);
  if (const auto lane = world_.repository.lanes().find(request.service_id);
      lane && *lane && (*lane)->wanted == ports::Wanted::kRunning)
    status.serving = (*lane)->committed;
  deployment.stages.push_back(status);
  deployment.end = state;
  deployment.open = false;
  SLIPWAY_ASSIGN(const bool fresh, world_.repository.deployments().insert(deployment));
  if (fresh) outbox_.wake(request.request_id);
  return fresh;
}

// What was answered once is answered the same again; another content under the same id is not answered at
// all.
Status Requests::say_again(const messages::DeploymentRequest& request, const ports::Deployment& known) {
  const std::string digest = sha256_hex(messages::to_json(request));
  if (digest != known.request_digest && !is_tombstone(known)) return other_content(known, digest);
  outbox_.repeat_last(request.request_id);
  return {};
}

Status Requests::refuse(const messages::DeploymentRequest& request, const Error& why) {
  return end_at_once(request, State::kRejected, why.message, why);
}

Status Requests::cancel(const messages::DeploymentRequest& request) {
  SLIPWAY_ASSIGN(const auto known, world_.repository.deployments().find(request.request_id));
  if (known) return say_again(request, *known);
  SLIPWAY_ASSIGN(const auto target, world_.repository.deployments().find(request.cancels));
  if (!target) {
    // It may still come: then it ends as cancelled and runs nothing.
    messages::DeploymentRequest tombstone{
        .request_id = request.cancels, .action = messages::Action::kCancel, .service_id = request.service_id};
    SLIPWAY_ASSIGN(const bool first,
                   insert_ended(tombstone, State::kCancelled, "cancelled before it came", std::nullopt));
    if (!first) return unavailable("repository.race", "the request came at this moment");
    return end_at_once(request, State::kSucceeded, "cancelled before it came", std::nullopt);
  }
  SLIPWAY_ASSIGN(const auto objection, cancel_target(request, *target));
  if (!objection.error)
    return end_at_once(request, State::kSucceeded, "cancelled " + request.cancels, std::nullopt);
  return end_at_once(request, State::kRejected, objection.error->message, objection.error);
}

Result<Requests::Objection> Requests::cancel_target(const messages::DeploymentRequest& request,
                                                    const ports::Deployment& target) {
  const Error too_late = conflict("cancel.too_late", fmt::format("{} is past its cutover", request.cancels),
                                  fmt::format("slipway rollback {}", target.service_id));
  if (target.service_id != request.service_id)
    return Objection{denied("cancel.forbidden",
                            fmt::format("{} is not a request of {}", request.cancels, request.service_id))};
  if (target.end) return *target.end == State::kCancelled ? Objection{} : Objection{too_late};
  SLIPWAY_ASSIGN(const bool cancelled, world_.repository.lanes().cancel(target.service_id, request.cancels));
  if (cancelled) {
    lanes_.wake();
    return Objection{};
  }
  SLIPWAY_ASSIGN(const auto lane, world_.repository.lanes().find(target.service_id));
  if (lane && lane->active == request.cancels) return Objection{too_late};
  return cancel_waiting(target);
}

// It waits, or was accepted and is not queued yet. First the end, then out of the queue: a crash in between
// leaves an ended request in the queue, which runs nothing; the other order would leave one without an end.
Result<Requests::Objection> Requests::cancel_waiting(const ports::Deployment& target) {
  auto status =
      only_status(world_, target.request, State::kCancelled, "cancelled while it waited", std::nullopt);
  status.seq = static_cast<std::int64_t>(target.stages.size()) + 1;
  SLIPWAY_ASSIGN(const bool ended,
                 world_.repository.deployments().append(target.request_id, target.epoch, status));
  // Somebody took it at this moment: the record is handled again, and the lane decides.
  if (!ended) return unavailable("repository.race", "the request began at this moment");
  outbox_.wake(target.request_id);
  SLIPWAY_TRY(world_.repository.lanes().unqueue(target.service_id, target.request_id));
  lanes_.wake();
  return Objection{};
}

}  // namespace slipway::deployment_manager
