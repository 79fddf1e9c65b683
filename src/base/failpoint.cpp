#include "base/failpoint.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <thread>

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

int count_hits(const std::string& file, std::string_view name, std::string_view service) {
  const std::string wanted = fmt::format("{} {} ", name, service);
  std::ifstream in(file);
  int count = 0;
  for (std::string line; std::getline(in, line);) count += line.starts_with(wanted);
  return count;
}

// One write: the process may be dead a moment later.
void write_hit(const std::string& file, std::string_view name, std::string_view service) {
  const int to = open(file.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
  if (to < 0) return;
  const std::string line = fmt::format("{} {} {}\n", name, service, getpid());
  (void)!write(to, line.data(), line.size());
  close(to);
}

}  // namespace

std::span<const FailpointName> failpoints() {
  return kNames;
}

Status Failpoints::parse_effect(std::string_view text, Armed& armed) {
  constexpr std::string_view kHoldUntilGone = "hold=";
  if (const auto star = text.find('*'); star != std::string_view::npos) {
    armed.times = std::atoi(std::string(text.substr(star + 1)).c_str());
    if (armed.times <= 0)
      return invalid("failpoint.syntax", fmt::format("'{}' does not say how many times", text), "kill*2");
    text = text.substr(0, star);
  }
  if (text == "kill") {
    armed.effect = Effect::kKill;
  } else if (text == "abort") {
    armed.effect = Effect::kAbort;
  } else if (text == "stop") {
    armed.effect = Effect::kStop;
  } else if (text.starts_with(kHoldUntilGone) && text.size() > kHoldUntilGone.size()) {
    armed.effect = Effect::kHold;
    armed.file = text.substr(kHoldUntilGone.size());
  } else {
    return invalid("failpoint.effect", fmt::format("'{}' is nothing that a failpoint does", text),
                   "kill, abort, stop or hold=FILE");
  }
  return {};
}

Result<Failpoints::Armed> Failpoints::parse_one(std::string_view text) {
  const auto colon = text.find(':');
  if (colon == std::string_view::npos)
    return invalid("failpoint.syntax", fmt::format("'{}' does not say what is done there", text),
                   "such as created:kill");
  const std::string_view place = text.substr(0, colon);
  const auto at = std::min(place.find('@'), place.size());
  const auto* const found = std::ranges::find(kNames, place.substr(0, at), &FailpointName::name);
  if (found == kNames.end())
    return invalid("failpoint.unknown", fmt::format("there is no failpoint '{}'", place.substr(0, at)),
                   "slipway failpoints lists them");
  Armed armed{.point = static_cast<Failpoint>(found - kNames.begin()),
              .service = std::string(at < place.size() ? place.substr(at + 1) : ""),
              .file = {}};
  SLIPWAY_TRY(parse_effect(text.substr(colon + 1), armed));
  return armed;
}

Result<Failpoints> Failpoints::parse(std::string_view text, std::string hits_file) {
  Failpoints parsed;
  parsed.hits_file_ = std::move(hits_file);
  for (const auto& one : split(text, ';')) {
    if (one.empty()) continue;
    SLIPWAY_ASSIGN(Armed armed, parse_one(one));
    if (armed.times > 0 && parsed.hits_file_.empty())
      return invalid("failpoint.hits", fmt::format("'{}' is counted, but nowhere", one),
                     "set SLIPWAY_FAILPOINTS_HITS to a file");
    parsed.armed_.push_back(std::move(armed));
  }
  return parsed;
}

void Failpoints::hit(Failpoint point, std::string_view service) const {
  for (const auto& armed : armed_)
    if (armed.point == point && (armed.service.empty() || armed.service == service)) act(armed, service);
}

void Failpoints::act(const Armed& armed, std::string_view service) const {
  const std::string_view name = kNames.at(static_cast<std::size_t>(armed.point)).name;
  if (armed.times > 0 && count_hits(hits_file_, name, service) >= armed.times) return;
  if (!hits_file_.empty()) write_hit(hits_file_, name, service);
  switch (armed.effect) {
    case Effect::kKill:
      std::raise(SIGKILL);
      break;
    case Effect::kAbort:
      std::abort();
    case Effect::kStop:
      std::raise(SIGSTOP);
      break;
    case Effect::kHold:
      while (access(armed.file.c_str(), F_OK) == 0)
        std::this_thread::sleep_for(std::chrono::milliseconds{20});
      break;
  }
}

}  // namespace slipway
