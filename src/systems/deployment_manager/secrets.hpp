#pragma once

#include <map>
#include <string>
#include <vector>

#include "meta_file/service_spec.hpp"
#include "systems/deployment_manager/world.hpp"

// Secrets: values that the gateway sealed, opened only on their way into a container.
namespace slipway::deployment_manager {

inline constexpr std::string_view kSecretsFolder = "/run/secrets";

/// name -> version of those that the service needs; each was opened, so that it can be delivered.
/// `secret.missing` names all that nobody has set, `secret.no_key` and `secret.key` say why this server
/// cannot open them.
Result<std::map<std::string, std::string>> secret_versions(World& world, const meta_file::ServiceSpec& spec);

/// The files of /run/secrets with their present values, readable by `user` (as in ContainerSpec; empty: root)
/// alone, or by everybody in the container where the user is a name. Fails as secret_versions does.
Result<std::vector<TarEntry>> secret_files(World& world, const meta_file::ServiceSpec& spec,
                                           const std::string& user);

}  // namespace slipway::deployment_manager
