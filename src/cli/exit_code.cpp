#include "cli/exit_code.hpp"

#include <array>
#include <string_view>

namespace slipway::cli {
namespace {

using messages::Stage;
using messages::State;

bool has_prefix(std::string_view code, std::initializer_list<std::string_view> prefixes) {
  for (const std::string_view prefix : prefixes)
    if (code.starts_with(prefix)) return true;
  return false;
}

/// Stages up to `bound` touch nothing that runs.
bool touched(std::string_view stage) {
  return stage == to_string(Stage::kStarted) || stage == to_string(Stage::kHealthy) ||
         stage == to_string(Stage::kFlowing);
}

ExitCode of_failure(const messages::DeploymentStatus& last) {
  const Error none;
  const Error& error = last.error ? *last.error : none;
  if (!touched(last.error_stage)) {
    if (has_prefix(error.code, {"meta.", "archive."})) return ExitCode::kUsage;
    if (has_prefix(error.code, {"request."}) && error.kind == ErrorKind::kInvalid) return ExitCode::kUsage;
    if (last.error_stage == to_string(Stage::kBuilt) || has_prefix(error.code, {"build."}))
      return ExitCode::kBuildFailed;
    if (error.code == "kafka.unreachable" || error.code == "repository.unreachable")
      return ExitCode::kUnreachable;
    if (last.error && error.kind == ErrorKind::kNotFound) return ExitCode::kNotFound;
    if (last.error && error.kind == ErrorKind::kDenied) return ExitCode::kDenied;
    if (last.state == State::kRejected) return ExitCode::kNothingTouched;
  }
  return last.serving ? ExitCode::kFailedOldServes : ExitCode::kFailedDown;
}

}  // namespace

ExitCode exit_code(const Error& error) {
  if (error.code == "interrupted") return ExitCode::kInterrupted;
  switch (error.kind) {
    case ErrorKind::kInvalid:
      return ExitCode::kUsage;
    case ErrorKind::kNotFound:
      return ExitCode::kNotFound;
    case ErrorKind::kDenied:
      return ExitCode::kDenied;
    case ErrorKind::kUnavailable:
      return ExitCode::kUnreachable;
    case ErrorKind::kUnknown:
      return ExitCode::kDeadline;
    case ErrorKind::kConflict:
      return ExitCode::kNothingTouched;
    case ErrorKind::kCorrupt:
    case ErrorKind::kInternal:
      break;
  }
  return ExitCode::kUnexpected;
}

ExitCode exit_code(const messages::DeploymentStatus& last) {
  switch (last.state) {
    case State::kSucceeded:
    case State::kWarning:
    case State::kCompleted:
      return ExitCode::kDone;
    case State::kStale:
    case State::kSuperseded:
    case State::kCancelled:
    case State::kExpired:
      return ExitCode::kNothingTouched;
    case State::kFailed:
    case State::kRejected:
      return of_failure(last);
    case State::kRunning:
    case State::kWaiting:
      break;
  }
  return ExitCode::kDeadline;
}

}  // namespace slipway::cli
