#pragma once

#include <memory>

#include "adapters/docker/endpoint.hpp"
#include "base/log.hpp"
#include "ports/engine.hpp"

namespace slipway::docker {

using DockerSettings = EndpointPolicy;

/// Docker Engines over unix sockets, TCP and TLS, one shared object per endpoint and credentials for as long
/// as this lives. open() judges the endpoint by `settings` and talks to nobody.
std::unique_ptr<ports::Engines> make_engines(const DockerSettings& settings, Log log);

}  // namespace slipway::docker
