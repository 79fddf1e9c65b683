#pragma once

#include <string>

#include "ports/container.hpp"

namespace slipway::docker {

/// The JSON that asks an engine for this container, with every hardening that the spec does not switch off.
std::string container_body(const ports::ContainerSpec& spec);

/// The JSON of a restart policy ("no", "always", "on-failure:5") for an update.
std::string restart_body(const std::string& policy);
std::string limits_body(const ports::Limits& limits);

}  // namespace slipway::docker
