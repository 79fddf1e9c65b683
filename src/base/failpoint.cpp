#include "base/failpoint.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <csignal>
#include <cstdlib>
#include <string>

#include "base/text.hpp"

namespace slipway {
namespace {

constexpr std::array<FailpointName, 14> kNames{{
    {"polled", "a request was read from Kafka, nothing is stored"},
    {"inserted", "its document is stored, neither its place in the lane nor its offset"},
    {"owned", "the lane is taken"},
    {"fetching", "a part of the archive was read"},
    {"validated", "fetched and validated are recorded"},
    {"building", "the Engine is building"},
    {"image_made", "the image is there, the stage is not recorded"},
    {"agent_put", "the Machine Agent runs, its sample was not waited for"},
    {"sensors_asked", "the Sensor Manager was asked, its answer not waited for"},
    {"created", "the Engine has created the container, its id is not recorded"},
    {"old_stopped", "the old container is stopped, the new one not started"},
    {"started", "the new container is started, nothing is known of its health"},
    {"cut_over", "the cutover is decided, the old container is still there"},
    {"ended", "the end is recorded, not published"},
}};

enum class Effect { kNone, kKill, kAbort, kStop };

struct Armed {
  std::atomic<Effect> effect = Effect::kNone;
  std::string service;  // empty: every one; written before other threads begin
};

std::array<Armed, kNames.size()>& armed() {
  static std::array<Armed, kNames.size()> all;
  return all;
}

Result<Effect> to_effect(std::string_view name) {
  if (name == "kill") return Effect::kKill;
  if (name == "abort") return Effect::kAbort;
  if (name == "stop") return Effect::kStop;
  return invalid("failpoint.effect", fmt::format("'{}' is nothing that a failpoint does", name),
                 "kill, abort or stop");
}

Status arm(std::string_view text) {
  const auto colon = text.find(':');
  if (colon == std::string_view::npos)
    return invalid("failpoint.syntax", fmt::format("'{}' does not say what is done there", text),
                   "NAME:kill, NAME:abort or NAME:stop");
  const std::string_view name = text.substr(0, colon);
  const std::string_view rest = text.substr(colon + 1);
  const auto at = std::min(rest.find('@'), rest.size());
  const auto* const found = std::ranges::find(kNames, name, &FailpointName::name);
  if (found == kNames.end())
    return invalid("failpoint.unknown", fmt::format("there is no failpoint '{}'", name),
                   "slipway failpoints lists them");
  SLIPWAY_ASSIGN(const Effect effect, to_effect(rest.substr(0, at)));
  auto& place = armed().at(static_cast<std::size_t>(found - kNames.begin()));
  place.service = at < rest.size() ? rest.substr(at + 1) : "";
  place.effect = effect;
  return {};
}

}  // namespace

std::span<const FailpointName> failpoints() {
  return kNames;
}

Status arm_failpoints(std::string_view text) {
  for (const auto& one : split(text, ';'))
    if (!one.empty()) SLIPWAY_TRY(arm(one));
  return {};
}

void failpoint(Failpoint point, std::string_view service) {
  auto& place = armed()[static_cast<std::size_t>(point)];
  const Effect effect = place.effect.load(std::memory_order_relaxed);
  if (effect == Effect::kNone) return;
  if (!place.service.empty() && place.service != service) return;
  if (effect == Effect::kKill) std::raise(SIGKILL);
  if (effect == Effect::kAbort) std::abort();
  if (place.effect.exchange(Effect::kNone) == Effect::kStop) std::raise(SIGSTOP);
}

}  // namespace slipway
