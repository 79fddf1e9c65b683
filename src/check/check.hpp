#pragma once

#include <cstddef>
#include <stop_token>

#include "check/collect.hpp"
#include "check/finding.hpp"

namespace slipway::check {

struct Report {
  WallTime at{};
  std::size_t services = 0, deployments = 0, machines = 0, containers = 0, messages = 0;  ///< looked at
  Findings findings;
};

/// Does the world equal the journal? Looks once; if anything is wrong, again after `pause`, and reports what
/// was wrong both times: a deployment under way, or a container that is just being healed, is no finding. An
/// Error: the journal (Repository, status topic) could not be read.
Result<Report> check(const Sources& sources, milliseconds pause, const std::stop_token& stop);

}  // namespace slipway::check
