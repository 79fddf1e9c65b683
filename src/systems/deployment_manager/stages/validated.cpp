#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/text.hpp"
#include "meta_file/read.hpp"
#include "systems/deployment_manager/port_preflight.hpp"
#include "systems/deployment_manager/stages/stage.hpp"

namespace slipway::deployment_manager {
namespace {

Error at(std::string where, Error error) {
  error.where = std::move(where);
  return error;
}

Result<meta_file::ServiceSpec> stored_spec(const ports::Release& release) {
  const auto json = nlohmann::json::parse(release.spec, nullptr, false);
  return meta_file::spec_from_json(json);
}

// The machine can be asked to do the work: found out before anything is built or touched.
Result<ports::EngineInfo> preflight(StageContext& context) {
  const auto& name = context.machine->machine.name;
  if (auto alive = context.machine->engine->ping(); !alive)
    return Error{ErrorKind::kUnavailable,
                 "machine.unreachable",
                 fmt::format("the Engine of {} does not answer: {}", name, alive.error().message),
                 {},
                 fmt::format("slipway machine show {}", name)};
  return context.machine->engine->info();
}

Status ports_are_free(StageContext& context) {
  auto free = check_ports(context.world, context.machine->machine, *context.spec);
  if (!free && free.error().kind == ErrorKind::kInvalid)
    free.error().where =
        context.source ? meta_file::where_is(context.source->meta_name, context.source->meta_text, "ports")
                       : "ports";
  return free;
}

// Inside a container loopback is the container itself: it would never reach the broker.
bool is_loopback(const std::string& brokers) {
  return std::ranges::any_of(split(brokers, ','), [](std::string_view broker) {
    broker = broker.substr(
        std::min(broker.find("://") == std::string_view::npos ? 0 : broker.find("://") + 3, broker.size()));
    return broker.starts_with("127.") || broker.starts_with("localhost") || broker.starts_with("[::1]");
  });
}

}  // namespace

StageResult validate(StageContext& context) {
  auto& release = context.release;
  const auto& journal = context.journal;
  std::string warning, hint;
  if (reuses_release(journal.request())) {
    SLIPWAY_ASSIGN(context.spec, stored_spec(release));
  } else {
    const auto& source = *context.source;
    auto reading =
        meta_file::read_service(source.meta_name, source.meta_text, context.world.settings.meta_policy);
    if (!reading.ok()) return meta_file::as_one_error(reading.errors);
    if (const auto missing = meta_file::check_against_source(*reading.spec, source.file_paths(),
                                                             source.meta_name, source.meta_text);
        !missing.empty())
      return meta_file::as_one_error(missing);
    if (reading.spec->name != journal.service())
      return at(meta_file::where_is(source.meta_name, source.meta_text, "name"),
                invalid("meta.other_service",
                        fmt::format("the request is for '{}', but {} names '{}'", journal.service(),
                                    source.meta_name, reading.spec->name),
                        "service_id and name must be the same"));
    context.spec = std::move(reading.spec);
    release.spec = meta_file::to_json(*context.spec).dump();
    release.version =
        context.spec->version.empty() ? release.source_digest.substr(0, 12) : context.spec->version;
    if (!reading.warnings.empty()) {
      warning =
          fmt::format("{}: {}", reading.warnings.front().error.where, reading.warnings.front().error.message);
      hint = reading.warnings.front().error.hint;
    }
  }
  if (is_loopback(context.world.settings.services_kafka))
    return invalid("kafka.loopback",
                   fmt::format("services would be told to find Kafka at {}, which is their own container",
                               context.world.settings.services_kafka),
                   "set kafka.machine_brokers to an address that machines and containers reach");
  SLIPWAY_TRY(ports_are_free(context));
  SLIPWAY_ASSIGN(const auto engine, preflight(context));
  const std::string message = fmt::format("{} {}, Engine {} on {}", context.spec->name, release.version,
                                          engine.version, context.machine->machine.name);
  if (warning.empty()) return StageOutcome{.message = message, .hint = {}, .end = {}};
  return StageOutcome{.message = warning, .state = messages::State::kWarning, .hint = hint, .end = {}};
}

}  // namespace slipway::deployment_manager
