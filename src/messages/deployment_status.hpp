#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/result.hpp"

namespace slipway::messages {

enum class Stage {
  kAccepted,
  kFetched,
  kValidated,
  kBuilt,
  kAgentReady,
  kBound,
  kStarted,
  kHealthy,
  kFlowing,
  kDone
};
enum class State {
  kRunning,
  kWaiting,
  kSucceeded,
  kWarning,
  kCompleted,
  kFailed,
  kRejected,
  kStale,
  kSuperseded,
  kCancelled,
  kExpired
};
std::string_view to_string(Stage stage);
std::string_view to_string(State state);
std::optional<Stage> parse_stage(std::string_view text);
std::optional<State> parse_state(std::string_view text);

/// One change of a stage's state (topic deployment.status), and one entry of a deployment document's
/// `stages`.
struct DeploymentStatus {
  std::string request_id;
  std::string service_id;
  std::optional<std::int64_t> release;
  std::string machine;
  std::int64_t seq = 0;  ///< 1, 2, 3 ... per request, without gaps
  Stage stage = Stage::kAccepted;
  State state = State::kRunning;
  bool final = false;
  WallTime at{};
  std::optional<milliseconds> took;
  std::string message;
  std::string image;
  std::string container_id;
  std::map<std::string, std::string> topics;  ///< sensor name -> topic
  std::optional<Error> error;
  std::string error_stage;  ///< of a final failure: the stage that failed
  std::optional<std::int64_t> serving;
  bool unchanged = false;
  std::string correlation_id;
};

std::string to_json(const DeploymentStatus& status);
Result<DeploymentStatus> parse_deployment_status(std::string_view json);
/// The same as JSON values, for documents that hold statuses.
nlohmann::json to_value(const DeploymentStatus& status);
Result<DeploymentStatus> status_from_value(const nlohmann::json& value);

/// {"code", "message", "where", "hint", "last_logs"}: the one shape of an error in every message and
/// document.
nlohmann::json to_value(const Error& error);
Error error_from_value(const nlohmann::json& value);

}  // namespace slipway::messages
