#pragma once

#include <nlohmann/json_fwd.hpp>

#include "ports/repository.hpp"

namespace slipway::gateway {

// Documents of the Repository as the API shows them. An absent value is null, a time is RFC 3339.
nlohmann::json view(const ports::Service& service);
nlohmann::json view(const ports::ServiceHistory& entry);
nlohmann::json view(const ports::Release& release);
nlohmann::json view(const ports::Instance& instance);
nlohmann::json view(const ports::Failure& failure);
nlohmann::json view(const ports::Deployment& deployment);
nlohmann::json view(const ports::Binding& binding);
nlohmann::json view(const ports::Placement& placement);
nlohmann::json view(const messages::Machine& machine);
nlohmann::json view(const messages::MachineStateReport& report);
nlohmann::json view(const messages::Sensor& sensor);
nlohmann::json view(const ports::MinuteDocument& minute);

}  // namespace slipway::gateway
