#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/text.hpp"
#include "meta_file/read.hpp"
#include "ports/source_view.hpp"
#include "systems/deployment_manager/names.hpp"
#include "systems/deployment_manager/port_preflight.hpp"
#include "systems/deployment_manager/secrets.hpp"
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

// A program for another machine would be built, started and die there.
Status check_architecture(const meta_file::ServiceSpec& spec, const Source& source,
                          const std::string& machine, const ports::EngineInfo& engine) {
  if (spec.image_source != meta_file::ImageSource::kRuntime || spec.runtime != "binary") return {};
  const auto* entry = source.find(meta_file::entry_path(spec));
  const std::string made_for = entry == nullptr ? "" : meta_file::elf_architecture(entry->head);
  if (made_for.empty() || made_for == docker_architecture(engine.architecture)) return {};
  return invalid("meta.architecture",
                 fmt::format("{} is a program for {}, but {} is {}", entry->path, made_for, machine,
                             docker_architecture(engine.architecture)),
                 "deploy one that was compiled for that machine");
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
  std::string warning, hint, detected;
  if (reuses_release(journal.request())) {
    SLIPWAY_ASSIGN(context.spec, stored_spec(release));
  } else {
    const auto& source = *context.source;
    const auto view = view_of(context.world.archives, source);
    auto reading = meta_file::read_service(source.meta_name, source.meta_text,
                                           context.world.settings.meta_policy, &view);
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
    detected = reading.detected;
    release.spec = meta_file::to_json(*context.spec).dump();
    release.version =
        context.spec->version.empty() ? release.source_digest.substr(0, 12) : context.spec->version;
    if (!reading.warnings.empty()) {
      warning =
          fmt::format("{}: {}", reading.warnings.front().error.where, reading.warnings.front().error.message);
      hint = reading.warnings.front().error.hint;
    }
  }
  // What starts again keeps what it was given; any other deployment gets the present values.
  const auto action = journal.request().action;
  if (action != messages::Action::kStart && action != messages::Action::kRestart) {
    SLIPWAY_ASSIGN(release.secrets, secret_versions(context.world, *context.spec));
  }
  if (is_loopback(context.world.settings.services_kafka))
    return invalid("kafka.loopback",
                   fmt::format("services would be told to find Kafka at {}, which is their own container",
                               context.world.settings.services_kafka),
                   "set kafka.machine_brokers to an address that machines and containers reach");
  SLIPWAY_TRY(ports_are_free(context));
  SLIPWAY_ASSIGN(const auto engine, preflight(context));
  if (context.source)
    SLIPWAY_TRY(check_architecture(*context.spec, *context.source, context.machine->machine.name, engine));
  const std::string message =
      fmt::format("{} {}, Engine {} on {}{}{}", context.spec->name, release.version, engine.version,
                  context.machine->machine.name, detected.empty() ? "" : "; ", detected);
  if (warning.empty()) return StageOutcome{.message = message, .hint = {}, .end = {}};
  return StageOutcome{.message = warning, .state = messages::State::kWarning, .hint = hint, .end = {}};
}

}  // namespace slipway::deployment_manager
