#pragma once

#include <functional>
#include <string>

#include "base/clock.hpp"
#include "base/result.hpp"

namespace slipway::health_probe {

struct WaitTimes {
  milliseconds healthy_for{5000};  ///< good answers without a break for so long
  milliseconds deadline{60'000};   ///< from the start on
  milliseconds timeout{2000};      ///< of one check
  milliseconds eager{20};          ///< between checks until the first good one, and after a bad one
  milliseconds steady{200};        ///< between checks after a good one
};

/// Asks until the service is healthy. `say` gets one line of JSON, without its end, at each change:
/// {"event":"failing","after_ms":20,"failure":"port 8080: connection refused"}, "first_good", "healthy", and
/// "deadline" with what was missing. A bad answer begins the time of healthy_for anew.
bool wait_until_healthy(const std::function<Status(milliseconds timeout)>& ask, const WaitTimes& times,
                        Clock& clock, const std::function<void(const std::string&)>& say);

}  // namespace slipway::health_probe
