#pragma once

#include "messages/deployment_request.hpp"
#include "ports/request_loop.hpp"
#include "systems/deployment_manager/lane_keeper.hpp"

namespace slipway::deployment_manager {

/// Takes deployment requests from Kafka into the Repository: a document per request id and a place in the
/// service's lane. The record's offset moves only after that. The same request again changes nothing and gets
/// its last status again.
class Requests {
 public:
  Requests(World& world, Outbox& outbox, LaneKeeper& lanes);
  /// One record; see RequestLoop for what an Error means.
  Status handle(const ports::Record& record);

 private:
  Status accept(const messages::DeploymentRequest& request);
  Status again(const messages::DeploymentRequest& request, const std::string& digest);
  Status refuse(const messages::DeploymentRequest& request, const Error& why);
  Status cancel(const messages::DeploymentRequest& request);
  /// What speaks against cancelling, or nothing: it is cancelled.
  struct Objection {
    std::optional<Error> error;
  };
  Result<Objection> cancel_target(const messages::DeploymentRequest& request,
                                  const ports::Deployment& target);
  Result<Objection> cancel_waiting(const ports::Deployment& target);
  Status end_at_once(const messages::DeploymentRequest& request, messages::State state,
                     const std::string& message, const std::optional<Error>& error);
  /// False if there is a document with this id already.
  Result<bool> insert_ended(const messages::DeploymentRequest& request, messages::State state,
                            const std::string& message, const std::optional<Error>& error);
  Status say_again(const messages::DeploymentRequest& request, const ports::Deployment& known);

  World& world_;
  Outbox& outbox_;
  LaneKeeper& lanes_;
};

}  // namespace slipway::deployment_manager
