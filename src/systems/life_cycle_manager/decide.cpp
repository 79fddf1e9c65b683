#include "systems/life_cycle_manager/decide.hpp"

#include <fmt/format.h>

#include "base/time_text.hpp"

namespace slipway::life_cycle_manager {
namespace {

using messages::State;
using ports::Wanted;

std::string settled_state(const messages::DeploymentStatus& status, const std::optional<ports::Lane>& lane) {
  if (status.state == State::kCompleted) return "completed";
  if (lane && lane->committed) {
    if (lane->wanted == Wanted::kRunning) return "running";
    if (lane->wanted == Wanted::kCompleted) return "completed";
    if (lane->wanted == Wanted::kStopped) return "stopped";
    return "removed";
  }
  return status.state == State::kFailed ? "failed" : "registered";
}

std::string entry_id(const std::string& service, WallTime at, const std::string& what) {
  return fmt::format("{}/{}/{}", service, to_rfc3339(at), what);
}

}  // namespace

std::optional<ports::Service> after_status(const std::optional<ports::Service>& known,
                                           const messages::DeploymentStatus& status,
                                           const std::optional<ports::Lane>& lane) {
  ports::Service service =
      known.value_or(ports::Service{.service_id = status.service_id, .state = "registered"});
  const bool said_its_end = known && known->last_request == status.request_id && known->state != "deploying";
  if (!status.final) {
    if (said_its_end) return std::nullopt;
    if (known && known->state == "deploying" && known->last_request == status.request_id) return std::nullopt;
    service.state = "deploying";
    service.last_request = status.request_id;
    service.since = status.at;
    return service;
  }
  service.state = settled_state(status, lane);
  service.serving = lane && lane->wanted == Wanted::kRunning ? lane->committed : std::nullopt;
  service.last_request = status.request_id;
  service.last_error = status.error ? status.error->message : "";
  if (lane && !lane->machines.empty()) service.machine = lane->machines.front();
  service.since = status.at;
  return service;
}

std::optional<ports::ServiceHistory> history_of(const messages::DeploymentStatus& status,
                                                const std::string& state) {
  if (!status.final) return std::nullopt;
  return ports::ServiceHistory{.entry_id = entry_id(status.service_id, status.at, status.request_id),
                               .service_id = status.service_id,
                               .request_id = status.request_id,
                               .event = fmt::format("deployment {}", messages::to_string(status.state)),
                               .state = state,
                               .message = status.message,
                               .release = status.release,
                               .at = status.at};
}

std::optional<ports::ServiceHistory> history_of(const messages::ServiceEvent& event) {
  if (event.service_id.empty() || event.event == "started" || event.event == "health") return std::nullopt;
  std::string message = event.message;
  if (event.exit_code) message = fmt::format("exit code {}", *event.exit_code);
  return ports::ServiceHistory{
      .entry_id = entry_id(event.service_id, event.at, event.event + "/" + event.container_id.substr(0, 12)),
      .service_id = event.service_id,
      .event = event.event,
      .message = message,
      .release = event.release,
      .at = event.at};
}

}  // namespace slipway::life_cycle_manager
