#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "messages/parsed.hpp"

namespace slipway::messages {

enum class Action { kDeploy, kStop, kStart, kRestart, kRollback, kRemove, kCancel };
std::string_view to_string(Action action);

/// A machine by name, or with inline details when `docker` is set.
struct MachineRef {
  std::string name;
  std::string docker;  ///< "unix:///var/run/docker.sock", "tcp://10.0.0.9:2376", or empty: only the name
  std::string tls;     ///< name of credentials in the Deployment Manager's settings, or empty
  bool operator==(const MachineRef&) const = default;
};

/// A wish for one service (topics service.requests and deployment.requests).
struct DeploymentRequest {
  std::string request_id;
  Action action = Action::kDeploy;
  std::string service_id;
  std::string path;  ///< in the Repository, or file:///...; empty where the action needs none
  std::optional<MachineRef> machine;
  std::string requested_by;
  std::optional<WallTime> deadline;
  std::string digest;  ///< pins the source; empty: newest
  std::optional<std::int64_t> release;
  std::optional<std::int64_t> expect_release;
  std::string cancels;  ///< request id, for Action::kCancel
  std::string correlation_id;
};

/// Strict JSON (no duplicate keys, depth and size bounded). `key` is the record's key, refused where it
/// contradicts service_id. A list of machines is refused as `request.not_yet`.
Result<Parsed<DeploymentRequest>> parse_deployment_request(std::string_view json,
                                                           const std::optional<std::string>& key,
                                                           const RecordPlace& place);
/// Canonical JSON: equal requests give equal bytes.
std::string to_json(const DeploymentRequest& request);

}  // namespace slipway::messages
