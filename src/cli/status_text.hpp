#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "base/clock.hpp"

namespace slipway::cli {

struct StatusLook {
  bool unicode = true;
  bool wide = false;
};

/// The one screen of `slipway status`: machines with bars, services, one sentence, the eleven systems. Pure.
std::string status_text(const nlohmann::json& status, WallTime now, const StatusLook& look);

/// "▇▇▇░░░░░  38 %"
std::string bar(double percent, bool unicode);

/// What `doctor` looks at, each {"name", "ok", "detail"}. Pure.
nlohmann::json doctor_checks(const nlohmann::json& status, const std::string& server);
std::string doctor_text(const nlohmann::json& checks, bool unicode);

}  // namespace slipway::cli
