#pragma once

#include "base/result.hpp"
#include "messages/deployment_status.hpp"

namespace slipway::cli {

/// What a script learns from a run; stable. docs/running.md has the same table.
enum class ExitCode {
  kDone = 0,             ///< done and verified healthy
  kUnexpected = 1,       ///< a bug, a broken pipe of ours, or `doctor` found something
  kUsage = 2,            ///< usage, invalid service.yaml or archive
  kNotFound = 3,         ///< no such thing
  kDenied = 4,           ///< not allowed
  kUnreachable = 5,      ///< server, Kafka or MongoDB unreachable
  kBuildFailed = 6,      ///< nothing touched
  kFailedOldServes = 7,  ///< failed, the previous release is serving
  kFailedDown = 8,       ///< failed, the service is down
  kDeadline = 9,         ///< deadline passed, outcome unknown (id printed)
  kNothingTouched = 10,  ///< superseded, cancelled, stale, expired or refused before anything was touched
  kPlanFoundChanges = 20,
  kInterrupted = 130,  ///< interrupted, the deployment goes on (id printed)
};

/// Of a call that failed.
ExitCode exit_code(const Error& error);

/// Of a deployment's final status.
ExitCode exit_code(const messages::DeploymentStatus& last);

}  // namespace slipway::cli
