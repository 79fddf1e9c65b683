#pragma once

#include "meta_file/problems.hpp"
#include "meta_file/read.hpp"

namespace slipway::meta_file {

/// Each reads its part of the file, as far as it can be used, and adds what the schema cannot say.
ServiceSpec read_spec(const Fields& root, const Policy& policy);
std::vector<PortMapping> read_ports(const Fields& root, const Policy& policy);
std::vector<VolumeMount> read_volumes(const Fields& root, ImageSource image_source);
std::vector<SecretNeed> read_secrets(const Fields& root);
std::vector<SensorNeed> read_sensors(const Fields& root);
HealthCheck read_health(const Fields& root, std::span<const PortMapping> ports);

/// Values of `env` that look like a secret: the names of their variables.
std::vector<const Node::Entry*> secrets_in_env(const Node& root);

}  // namespace slipway::meta_file
