#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"
#include "meta_file/service_spec.hpp"
#include "ports/container.hpp"
#include "ports/source_archive.hpp"
#include "ports/stores/releases.hpp"
#include "systems/deployment_manager/settings.hpp"

namespace slipway::deployment_manager {

/// What is created on a machine for one replica of a release, and the files that it finds below /run/slipway.
struct ContainerPlan {
  ports::ContainerSpec spec;
  std::vector<TarEntry> files;  ///< unpacked into /run/slipway between create and start
  std::string restart;          ///< policy once it is healthy: no, always, on-failure:5
};

struct PlanInput {
  const ports::Release& release;
  const meta_file::ServiceSpec& service;
  std::string request_id;
  std::string machine;
  std::string image_user;  ///< the image's USER, or empty
  std::string probe_volume;
  int replica = 1;
};

/// Pure: the hardened defaults of Slipway with what the meta file asks for.
ContainerPlan plan_container(const PlanInput& input, const Settings& settings);

/// argv of the wait for health inside the container; empty where there is no probe to run (none and test).
std::vector<std::string> probe_wait(const meta_file::ServiceSpec& service);

/// True if the image runs as root: allowed for `image:` and own Dockerfiles, with a warning.
bool runs_as_root(const meta_file::ServiceSpec& service, const std::string& image_user);

inline constexpr std::string_view kProbePath = "/.slipway/slipway-probe";

}  // namespace slipway::deployment_manager
