#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/digest.hpp"
#include "base/text.hpp"
#include "systems/deployment_manager/names.hpp"
#include "systems/deployment_manager/stages/stage.hpp"

namespace slipway::deployment_manager {
namespace {

messages::SensorNeed to_need(const meta_file::SensorNeed& need) {
  messages::SensorNeed out{.name = need.name,
                           .type = need.type,
                           .location = {},
                           .rate = need.rate,
                           .fields = {},
                           .required = need.required};
  if (need.location)
    out.location = messages::Location{need.location->site, need.location->room, need.location->lat,
                                      need.location->lon, need.location->alt};
  for (const auto& [name, field] : need.fields) out.fields[name] = field.unit;
  return out;
}

// What makes a release another release: source, meta with env and limits, image, topics and secrets.
std::string release_key(const ports::Release& release) {
  nlohmann::json topics = nlohmann::json::object();
  for (const auto& [name, bound] : release.topics) topics[name] = {bound.topic, bound.key};
  nlohmann::json parts{{"source", release.source_digest},
                       {"spec", release.spec},
                       {"image", release.image_key},
                       {"topics", topics}};
  if (!release.secrets.empty()) parts["secrets"] = release.secrets;  // without: as before there were secrets
  return sha256_hex(parts.dump());
}

Status ask_for_sensors(StageContext& context, std::string& warning) {
  const auto& spec = *context.spec;
  auto& journal = context.journal;
  messages::SensorRequest bind{.request_id = journal.id() + ":bind",
                               .action = messages::SensorAction::kBind,
                               .service_id = journal.service(),
                               .sensors = {},
                               .sensor = {},
                               .requested_by = journal.request().requested_by,
                               .correlation_id = fmt::format("{}:{}", journal.id(), journal.lane().epoch)};
  for (const auto& need : spec.sensors) bind.sensors.push_back(to_need(need));
  SLIPWAY_ASSIGN(const auto reply,
                 context.questions.ask(bind, context.world.settings.sensor_patience, context.stop));
  if (reply.error && reply.missing.empty()) return *reply.error;
  context.release.binding = reply.binding;
  context.release.topics = reply.topics;
  for (const auto& need : spec.sensors) {
    const auto missing = reply.missing.find(need.name);
    if (missing == reply.missing.end()) continue;
    if (need.required)
      return not_found("sensor.missing", fmt::format("no sensor for '{}': {}", need.name, missing->second),
                       "slipway sensor ls; slipway sensor add");
    warning +=
        fmt::format("{}no sensor for '{}': {}", warning.empty() ? "" : "; ", need.name, missing->second);
  }
  return {};
}

// A service that is killed before its first commit must not skip what came meanwhile.
Status fix_starting_point(World& world, const ports::Release& release) {
  std::vector<std::string> topics;
  for (const auto& [name, bound] : release.topics) topics.push_back(bound.topic);
  if (topics.empty()) return {};
  const std::string group = messages::service_group(release.service_id);
  SLIPWAY_ASSIGN(const auto committed, world.bus.committed(group, topics));
  SLIPWAY_ASSIGN(const auto ends, world.bus.end_offsets(topics));
  std::map<ports::TopicPartition, std::int64_t> missing;
  for (const auto& [place, end] : ends)
    if (!committed.contains(place)) missing[place] = end;
  return missing.empty() ? Status{} : world.bus.commit_for(group, missing);
}

Status make_topics(World& world, const meta_file::ServiceSpec& spec) {
  std::vector<messages::TopicSpec> topics;
  for (const auto& name : spec.topics)
    topics.push_back(
        {.name = name, .partitions = 6, .compacted = false, .retention = std::chrono::hours{24 * 7}});
  return topics.empty() ? Status{} : world.bus.ensure_topics(topics);
}

// True if nothing has to change: the same content runs already where it is wanted.
Result<bool> serves_already(StageContext& context, std::int64_t number) {
  const auto& lane = context.journal.lane();
  if (lane.wanted != ports::Wanted::kRunning || lane.machines != std::vector{context.machine->machine.name} ||
      context.journal.request().action == messages::Action::kRestart ||
      context.spec->restart.kind == meta_file::RestartPolicy::Kind::kNever)
    return false;
  const auto name = container_name(context.world.settings.instance, context.journal.service(), number, 1);
  SLIPWAY_ASSIGN(const auto container, context.machine->engine->inspect(name));
  return container && container->running && is_ours(*container, context.world.settings.instance);
}

// The number of what is committed if this is the same, else a new one; stored with the release before it is
// used.
Result<std::int64_t> number_release(StageContext& context) {
  auto& world = context.world;
  auto& journal = context.journal;
  auto& release = context.release;
  release.key = release_key(release);
  if (journal.lane().committed) {
    const ports::Release committed{.service_id = journal.service(), .number = *journal.lane().committed};
    SLIPWAY_ASSIGN(const auto stored, world.repository.releases().find(committed.id()));
    if (stored && stored->key == release.key) {
      release = *stored;
      return release.number;
    }
  }
  SLIPWAY_ASSIGN(const auto taken, world.repository.lanes().take_release(journal.service(), journal.id(),
                                                                         journal.lane().epoch));
  if (!taken) return conflict(std::string(kLaneLost), "the lane is held by somebody else now");
  release.number = *taken;
  release.request_id = journal.id();
  release.machine = context.machine->machine.name;
  release.created_at = world.clock.now();
  SLIPWAY_TRY(persistently(world, std::chrono::seconds{60}, context.stop,
                           [&] { return world.repository.releases().put(release); }));
  return release.number;
}

// The last moment before anything that serves is touched: its container must reach what it reads and writes.
Status try_brokers(StageContext& context) {
  const auto& spec = *context.spec;
  if ((spec.sensors.empty() && spec.topics.empty()) || spec.network == "none") return {};
  return context.broker_probe.check(*context.machine, spec.network, context.stop);
}

std::string describe(const ports::Release& release) {
  std::vector<std::string> parts;
  for (const auto& [name, bound] : release.topics)
    parts.push_back(fmt::format("{} <- {}", name, bound.topic));
  return parts.empty() ? "no sensors" : join(parts, ", ");
}

}  // namespace

StageResult bind(StageContext& context) {
  auto& journal = context.journal;
  auto& release = context.release;
  std::string warning;
  if (!reuses_release(journal.request()) && !context.spec->sensors.empty())
    SLIPWAY_TRY(ask_for_sensors(context, warning));
  SLIPWAY_TRY(make_topics(context.world, *context.spec));
  SLIPWAY_TRY(persistently(context.world, std::chrono::seconds{60}, context.stop,
                           [&] { return fix_starting_point(context.world, release); }));
  SLIPWAY_ASSIGN(const auto number, number_release(context));
  std::map<std::string, std::string> facts{{"binding", std::to_string(release.binding)}};
  for (const auto& [name, bound] : release.topics) facts["topic." + name] = bound.topic;
  SLIPWAY_ASSIGN(const bool unchanged, serves_already(context, number));
  if (!unchanged) SLIPWAY_TRY(try_brokers(context));
  // From here on the release document holds all: a next owner goes on with `started`.
  facts[unchanged ? "unchanged" : "release"] = std::to_string(number);
  SLIPWAY_TRY(journal.remember(facts));
  StageOutcome outcome{.message = describe(release), .hint = {}, .end = {}};
  if (!warning.empty())
    outcome = {
        .message = warning, .state = messages::State::kWarning, .hint = "slipway sensor add", .end = {}};
  if (unchanged) {
    outcome.end = messages::State::kSucceeded;
    outcome.unchanged = true;
  }
  return outcome;
}

}  // namespace slipway::deployment_manager
