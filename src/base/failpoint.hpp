#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace slipway {

/// The places where a test makes the process die or stand still, to see that nothing is lost or done twice
/// there: the rows of the crash table, in their order. A run that is resumed passes them again.
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

/// Which of them do something. Compiled in always, armed by `slipway serve --enable-failpoints` with
/// $SLIPWAY_FAILPOINTS only. Any thread.
class Failpoints {
 public:
  Failpoints() = default;  ///< nothing is armed

  /// "created:kill", "cut_over@boiler:stop", "started:hold=/tmp/x", joined by ";". After "@" the service that
  /// it is for; without it every one. What it does: kill (SIGKILL), abort, stop (SIGSTOP), or hold=FILE (goes
  /// on when the file is gone). "*2" behind it: so many times, counted over restarts by `hits_file`, which
  /// gets a line "NAME SERVICE PID" for each. kInvalid with the names that there are.
  static Result<Failpoints> parse(std::string_view text, std::string hits_file);

  /// Reached, on the way of this service.
  void hit(Failpoint point, std::string_view service) const;

 private:
  enum class Effect { kKill, kAbort, kStop, kHold };
  struct Armed {
    Failpoint point{};
    std::string service;  // empty: every one
    Effect effect = Effect::kKill;
    std::string file;  // of kHold
    int times = 0;     // 0: always
  };
  static Result<Armed> parse_one(std::string_view text);
  static Status parse_effect(std::string_view text, Armed& armed);
  void act(const Armed& armed, std::string_view service) const;

  std::vector<Armed> armed_;
  std::string hits_file_;
};

}  // namespace slipway
