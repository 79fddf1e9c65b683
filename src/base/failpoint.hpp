#pragma once

#include <span>
#include <string_view>

#include "base/result.hpp"

namespace slipway {

/// The places where a test makes the process die or stand still, to see that nothing is lost or done twice
/// there: the rows of the crash table, in their order. Always compiled in, armed by a server's
/// `--enable-failpoints` with $SLIPWAY_FAILPOINTS only.
enum class Failpoint {
  kPolled,
  kInserted,
  kOwned,
  kFetching,
  kValidated,
  kBuilding,
  kImageMade,
  kAgentPut,
  kSensorsAsked,
  kCreated,
  kOldStopped,
  kStarted,
  kCutOver,
  kEnded,
};

struct FailpointName {
  std::string_view name, when;
};
/// In the order of the enum.
std::span<const FailpointName> failpoints();

/// "created:kill", "cut_over:stop@boiler" or several, separated by ";". What it does: kill (SIGKILL), abort,
/// or stop (SIGSTOP, once); after "@" the service that it is for, without it every one. kInvalid with the
/// names that there are. Before other threads begin.
Status arm_failpoints(std::string_view text);

/// Reached, for this service. Costs one load where nothing is armed.
void failpoint(Failpoint point, std::string_view service);

}  // namespace slipway
