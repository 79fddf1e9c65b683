#pragma once

#include <optional>
#include <string>

#include "messages/deployment_status.hpp"
#include "messages/service_event.hpp"
#include "ports/stores/lane.hpp"
#include "ports/stores/services.hpp"

namespace slipway::life_cycle_manager {

/// The service after a status message; nothing if the message changes nothing (late, or said before). `lane`
/// is what the Deployment Manager has decided by now. Pure.
std::optional<ports::Service> after_status(const std::optional<ports::Service>& known,
                                           const messages::DeploymentStatus& status,
                                           const std::optional<ports::Lane>& lane);

/// The line of history that a final status or an event leaves; nothing for the others.
std::optional<ports::ServiceHistory> history_of(const messages::DeploymentStatus& status,
                                                const std::string& state);
std::optional<ports::ServiceHistory> history_of(const messages::ServiceEvent& event);

}  // namespace slipway::life_cycle_manager
