#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "messages/deployment_request.hpp"
#include "messages/deployment_status.hpp"

namespace slipway::ports {

/// One request and all that became of it (collection deployments): a person reads the whole story in one
/// find. Its list of stages is also the outbox of the status messages: entry i is the message with seq i+1.
struct Deployment {
  std::string request_id;
  std::string service_id;
  messages::DeploymentRequest request;
  std::string
      request_digest;  ///< SHA-256 of the canonical request: the same id with another content is a conflict
  std::int64_t accepted = 0;  ///< order of acceptance in its lane
  std::int64_t epoch = 0;     ///< of the last write
  std::vector<messages::DeploymentStatus> stages;
  std::int64_t published = 0;  ///< how many of `stages` Kafka has acknowledged
  std::optional<messages::State> end;
  /// What stages found out and later ones, or a next owner, need: machine, source_digest, image_key, release,
  /// ...
  std::map<std::string, std::string> facts;
  bool open = true;         ///< unset in the store when done (sparse index)
  bool unpublished = true;  ///< unset in the store when every stage is published
  WallTime created_at{};
  WallTime expires_at{};  ///< 30 days at least
  std::string id() const { return request_id; }
};

class DeploymentStore {
 public:
  virtual ~DeploymentStore() = default;
  /// False if there is one with this request id.
  virtual Result<bool> insert(const Deployment& deployment) = 0;
  virtual Result<std::optional<Deployment>> find(const std::string& request_id) = 0;
  /// Oldest first.
  virtual Result<std::vector<Deployment>> open() = 0;
  virtual Result<std::vector<Deployment>> unpublished() = 0;
  /// Newest first; of all services if `service_id` is empty.
  virtual Result<std::vector<Deployment>> latest(const std::string& service_id, std::size_t most) = 0;

  /// Appends entry number status.seq if exactly seq-1 are there and the document's epoch is not above
  /// `epoch`; sets unpublished; a final status sets `end` and closes the deployment. False: somebody else
  /// wrote.
  virtual Result<bool> append(const std::string& request_id, std::int64_t epoch,
                              const messages::DeploymentStatus& status) = 0;
  /// Sets these facts, others stay. False if a newer epoch wrote.
  virtual Result<bool> set_facts(const std::string& request_id, std::int64_t epoch,
                                 const std::map<std::string, std::string>& facts) = 0;
  /// `published` = the first `count` are on Kafka; only grows. Clears `unpublished` when that is all and the
  /// end is written.
  virtual Status mark_published(const std::string& request_id, std::int64_t count) = 0;
};

}  // namespace slipway::ports
