#include "check/check.hpp"

#include <algorithm>
#include <utility>

#include "check/rules.hpp"

namespace slipway::check {
namespace {

std::size_t count_containers(const Snapshot& snapshot) {
  std::size_t count = 0;
  for (const auto& machine : snapshot.machines) count += machine.containers.size();
  return count;
}

Report report_of(const Snapshot& snapshot, Findings findings) {
  return {.at = snapshot.at,
          .services = snapshot.lanes.size(),
          .deployments = snapshot.deployments.size(),
          .machines = snapshot.machines.size(),
          .containers = count_containers(snapshot),
          .messages = snapshot.messages,
          .findings = std::move(findings)};
}

}  // namespace

Result<Report> check(const Sources& sources, milliseconds pause, const std::stop_token& stop) {
  Findings before;
  {
    SLIPWAY_ASSIGN(const Snapshot first, collect(sources, stop));
    before = check_all(first);
    if (before.empty()) return report_of(first, {});
  }
  if (!sources.clock.sleep(pause, stop)) return unavailable("server.stopping", "the server stops");
  SLIPWAY_ASSIGN(const Snapshot second, collect(sources, stop));
  Findings both = check_all(second);
  std::erase_if(both, [&](const Finding& now) {
    return std::ranges::none_of(before, [&](const Finding& then) { return then.is_same(now); });
  });
  return report_of(second, std::move(both));
}

}  // namespace slipway::check
