#include <fmt/format.h>

#include "base/text.hpp"
#include "base/time_text.hpp"
#include "systems/deployment_manager/stages/stage.hpp"

namespace slipway::deployment_manager {
namespace {

constexpr milliseconds kLook{250};

// How long a reading may take to be due: three periods, between 15 s and 60 s.
milliseconds patience(const meta_file::ServiceSpec& spec) {
  milliseconds longest{15'000};
  for (const auto& need : spec.sensors)
    if (need.period) longest = std::max(longest, *need.period * 3);
  return std::min(longest, milliseconds{60'000});
}

std::int64_t sum(const std::map<ports::TopicPartition, std::int64_t>& offsets) {
  std::int64_t total = 0;
  for (const auto& [place, offset] : offsets) total += offset;
  return total;
}

// Empty if readings of this topic flow into the service, else why not.
Result<std::string> why_not(StageContext& context, const std::string& sensor, const std::string& topic) {
  auto& bus = context.world.bus;
  const std::string group = messages::service_group(context.journal.service());
  const std::vector<std::string> topics{topic};
  SLIPWAY_ASSIGN(const auto committed, bus.committed(group, topics));
  const std::string before = context.journal.fact("read_before." + sensor);
  if (sum(committed) > (before.empty() ? 0 : std::stoll(before))) return std::string{};
  SLIPWAY_ASSIGN(const auto reads, bus.group_reads(group, topics));
  if (!reads.contains(topic) || !reads.at(topic))
    return fmt::format("{}: nobody in the group {} reads {}", sensor, group, topic);
  SLIPWAY_ASSIGN(const auto ends, bus.end_offsets(topics));
  if (sum(ends) <= sum(committed)) return fmt::format("{}: no reading came on {} yet", sensor, topic);
  return fmt::format("{}: {} is read, but nothing was committed", sensor, topic);
}

}  // namespace

StageResult flow(StageContext& context) {
  auto& world = context.world;
  const auto& bound = context.release.topics;
  if (bound.empty()) return StageOutcome{.message = "no sensors", .hint = {}, .end = {}};
  const MonoTime until = std::min(context.deadline, world.clock.mono() + patience(*context.spec));
  std::vector<std::string> reasons;
  do {
    reasons.clear();
    for (const auto& [sensor, topic] : bound) {
      const auto reason = why_not(context, sensor, topic.topic);
      if (!reason) reasons.push_back(fmt::format("{}: {}", sensor, reason.error().message));
      if (reason && !reason->empty()) reasons.push_back(*reason);
    }
    if (reasons.empty())
      return StageOutcome{.message = fmt::format("{} of {} topics are read", bound.size(), bound.size()),
                          .hint = {},
                          .end = {}};
  } while (world.clock.mono() < until && world.clock.sleep(kLook, context.stop));
  return StageOutcome{
      .message = join(reasons, "; "),
      .state = messages::State::kWarning,
      .hint = "consume with SLIPWAY_KAFKA_GROUP and commit; slipway sensor ls shows who publishes",
      .end = {}};
}

}  // namespace slipway::deployment_manager
