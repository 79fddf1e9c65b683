#pragma once

#include "meta_file/problems.hpp"
#include "meta_file/read.hpp"

namespace slipway::meta_file {

/// Each reads its part of the file, as far as it can be used, and adds what the schema cannot say.
/// `guesses` is what the source looks like, for what the file leaves out.
ServiceSpec read_spec(const Fields& root, const Policy& policy, std::span<const Guess> guesses);
/// Runtime, image or Dockerfile, and what belongs to the build.
void read_made_of(const Fields& root, ServiceSpec& spec, const Policy& policy,
                  std::span<const Guess> guesses);
std::vector<PortMapping> read_ports(const Fields& root, const Policy& policy);
std::vector<VolumeMount> read_volumes(const Fields& root, ImageSource image_source);
std::vector<SecretNeed> read_secrets(const Fields& root);
std::vector<SensorNeed> read_sensors(const Fields& root);
HealthCheck read_health(const Fields& root, std::span<const PortMapping> ports);

/// Values of `env` that look like a secret: the names of their variables.
std::vector<const Node::Entry*> secrets_in_env(const Node& root);

inline constexpr std::string_view kPathCharacters =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-+@/";
/// Not empty, and of these characters only.
bool all_of(std::string_view text, std::string_view allowed);

}  // namespace slipway::meta_file
