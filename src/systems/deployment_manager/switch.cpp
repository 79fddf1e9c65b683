#include "systems/deployment_manager/switch.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <set>

#include "base/text.hpp"
#include "systems/deployment_manager/container_plan.hpp"
#include "systems/deployment_manager/names.hpp"
#include "systems/deployment_manager/secrets.hpp"

namespace slipway::deployment_manager {
namespace {

constexpr std::size_t kKeptLines = 1000;
constexpr std::size_t kShownLines = 20;

std::chrono::seconds grace(const StageContext& context) {
  return context.spec ? std::chrono::ceil<std::chrono::seconds>(context.spec->stop_grace_period)
                      : std::chrono::seconds{10};
}

// The container if it is still there and its labels say that it is ours and of this service.
Result<std::optional<ports::Container>> find_ours(StageContext& context, ports::Engine& engine,
                                                  const std::string& id) {
  SLIPWAY_ASSIGN(auto container, engine.inspect(id));
  if (!container || !is_ours(*container, context.world.settings.instance) ||
      find_label(container->labels, kLabelService) != context.journal.service())
    return std::optional<ports::Container>{};
  return container;
}

Result<std::optional<ports::Container>> find_by_name(ports::Engine& engine, const std::string& name,
                                                     const std::string& instance) {
  SLIPWAY_ASSIGN(auto container, engine.inspect(name));
  if (container && !is_ours(*container, instance))
    return conflict(
        "engine.name_taken",
        fmt::format("a foreign container {} holds the name {}", container->id.substr(0, 12), name),
        "rename or remove it");
  return container;
}

}  // namespace

std::string encode_old(const std::vector<OldContainer>& old) {
  std::vector<std::string> parts;
  for (const auto& container : old) parts.push_back(container.machine + "/" + container.id);
  return join(parts, ",");
}

std::vector<OldContainer> old_containers(const Journal& journal) {
  std::vector<OldContainer> old;
  for (const auto& part : split(journal.fact("old"), ','))
    if (const auto slash = part.find('/'); slash != std::string::npos)
      old.push_back({part.substr(0, slash), part.substr(slash + 1)});
  return old;
}

Result<std::vector<OldContainer>> find_running(StageContext& context, const std::string& except_id) {
  const auto& journal = context.journal;
  std::set<std::string> machines(journal.lane().machines.begin(), journal.lane().machines.end());
  machines.insert(context.machine->machine.name);
  std::vector<OldContainer> running;
  for (const auto& name : machines) {
    auto machine = open_machine(context.world, name);
    if (!machine && machine.error().kind == ErrorKind::kNotFound) continue;  // unregistered since
    if (!machine) return machine.error();
    SLIPWAY_ASSIGN(const auto containers,
                   machine->engine->list({label(kLabelInstance, context.world.settings.instance),
                                          label(kLabelService, journal.service())}));
    for (const auto& container : containers)
      if (container.running && container.id != except_id) running.push_back({name, container.id});
  }
  return running;
}

Status stop_old(StageContext& context, const std::vector<OldContainer>& old) {
  for (const auto& container : old) {
    SLIPWAY_ASSIGN(const auto machine, open_machine(context.world, container.machine));
    SLIPWAY_ASSIGN(const auto there, find_ours(context, *machine.engine, container.id));
    if (!there || !there->running) continue;
    SLIPWAY_TRY(machine.engine->set_restart_policy(container.id, "no"));
    SLIPWAY_TRY(machine.engine->stop(container.id, grace(context)));
  }
  return {};
}

Status undo_switch(StageContext& context) {
  auto& journal = context.journal;
  Status worst;
  const std::string fresh = journal.fact("container_id");
  if (!fresh.empty() && journal.fact("adopted").empty() && context.machine) {
    const auto there = find_ours(context, *context.machine->engine, fresh);
    if (there && *there) {
      if (auto removed = context.machine->engine->remove(fresh, true); !removed) worst = removed;
    } else if (!there) {
      worst = there.error();
    }
    ports::Instance instance{.service_id = journal.service(),
                             .release = context.release.number,
                             .replica = 1,
                             .machine = context.machine->machine.name};
    if (auto gone = context.world.repository.instances().remove(instance.id()); !gone) worst = gone;
  }
  for (const auto& old : old_containers(journal)) {
    const auto restored = persistently(context.world, std::chrono::seconds{20}, {}, [&]() -> Status {
      SLIPWAY_ASSIGN(const auto machine, open_machine(context.world, old.machine));
      SLIPWAY_ASSIGN(const auto there, find_ours(context, *machine.engine, old.id));
      if (!there) return {};
      SLIPWAY_TRY(machine.engine->start(old.id));
      const std::string policy(find_label(there->labels, kLabelRestart));
      return policy.empty() ? Status{} : machine.engine->set_restart_policy(old.id, policy);
    });
    if (!restored) worst = restored;
  }
  return worst;
}

Status remove_old(StageContext& context) {
  auto& journal = context.journal;
  auto& world = context.world;
  std::set<std::string> machines(journal.lane().machines.begin(), journal.lane().machines.end());
  for (const auto& old : old_containers(journal)) machines.insert(old.machine);
  const std::string kept = journal.fact("container_id");
  for (const auto& name : machines) {
    auto machine = open_machine(world, name);
    if (!machine && machine.error().kind == ErrorKind::kNotFound) continue;
    if (!machine) return machine.error();
    SLIPWAY_ASSIGN(const auto containers,
                   machine->engine->list({label(kLabelInstance, world.settings.instance),
                                          label(kLabelService, journal.service())}));
    for (const auto& container : containers) {
      const auto release = release_of(container.labels);
      const bool lower = release && context.release.number > 0 && *release < context.release.number;
      const bool elsewhere = name != context.machine->machine.name;
      if (container.id == kept || (!lower && !elsewhere)) continue;
      SLIPWAY_TRY(machine->engine->remove(container.id, true));
      const ports::Instance gone{
          .service_id = journal.service(), .release = release.value_or(0), .replica = 1, .machine = name};
      SLIPWAY_TRY(world.repository.instances().remove(gone.id()));
    }
  }
  return {};
}

Result<Made> make_container(World& world, AgentKeeper& agents, const MachineEngine& machine,
                            const ports::Release& release, const meta_file::ServiceSpec& spec,
                            const std::string& request_id) {
  auto& engine = *machine.engine;
  const auto name = container_name(world.settings.instance, release.service_id, release.number, 1);
  SLIPWAY_ASSIGN(auto there, find_by_name(engine, name, world.settings.instance));
  const bool runs_once = spec.restart.kind == meta_file::RestartPolicy::Kind::kNever;
  if (there && runs_once && !there->running && find_label(there->labels, kLabelRequest) != request_id) {
    SLIPWAY_TRY(engine.remove(there->id, true));  // an earlier run, ended
    there.reset();
  }
  if (there && there->state != "created") return Made{there->id, true, there->running};

  SLIPWAY_ASSIGN(const auto probe, agents.probe_volume(engine));
  SLIPWAY_ASSIGN(const auto image, engine.inspect_image(release.image));
  const auto plan = plan_container({.release = release,
                                    .service = spec,
                                    .request_id = request_id,
                                    .machine = machine.machine.name,
                                    .image_user = image ? image->user : "",
                                    .probe_volume = probe,
                                    .replica = 1},
                                   world.settings);
  const std::string user = plan.spec.user.empty() && image ? image->user : plan.spec.user;
  SLIPWAY_ASSIGN(const auto secrets, secret_files(world, spec, user));
  std::string id = there ? there->id : "";
  if (!there) {
    auto created = engine.create(plan.spec);
    if (!created && (created.error().retryable() || created.error().code == "engine.name_taken")) {
      // Unknown, or a twin was faster: by name.
      SLIPWAY_ASSIGN(const auto made, find_by_name(engine, name, world.settings.instance));
      if (!made) return created.error();
      created = made->id;
    }
    if (!created) return created.error();
    id = *created;
  }
  world.failpoints.hit(Failpoint::kCreated, release.service_id);
  SLIPWAY_ASSIGN(const auto tar, world.archives.make_tar(plan.files));
  SLIPWAY_TRY(engine.put_archive(id, "/run/slipway", tar));
  if (!secrets.empty()) {
    SLIPWAY_ASSIGN(const auto files, world.archives.make_tar(secrets));
    SLIPWAY_TRY(engine.put_archive(id, std::string(kSecretsFolder), files));
  }
  return Made{id, false, false};
}

Status record_instance(World& world, const MachineEngine& machine, const ports::Release& release,
                       const std::string& container_id, const std::string& state, bool proven) {
  SLIPWAY_ASSIGN(const auto container, machine.engine->inspect(container_id));
  if (!container) return {};
  return world.repository.instances().put(
      {.service_id = release.service_id,
       .release = release.number,
       .replica = 1,
       .machine = machine.machine.name,
       .container_id = container->id,
       .container_name = container->name,
       .state = state,
       .health = proven && container->health == "starting" ? "healthy" : container->health,
       .ports = container->ports,
       .since = world.clock.now()});
}

Status keep_failure_package(StageContext& context, messages::Stage stage, Error& error) {
  auto& journal = context.journal;
  const std::string id = journal.fact("container_id");
  ports::Failure failure{.request_id = journal.id(),
                         .service_id = journal.service(),
                         .machine = context.machine->machine.name,
                         .container_id = id,
                         .release = context.release.number,
                         .stage = std::string(messages::to_string(stage)),
                         .error = {},
                         .exit_code = {},
                         .oom_killed = false,
                         .last_logs = {},
                         .health_output = {},
                         .dockerfile = context.release.dockerfile,
                         .spec = context.release.spec,
                         .topics = context.release.topics,
                         .at = context.world.clock.now()};
  if (!id.empty()) {
    if (const auto container = context.machine->engine->inspect(id); container && *container) {
      if (!(*container)->running) failure.exit_code = (*container)->exit_code;
      failure.oom_killed = (*container)->oom_killed;
      failure.health_output = (*container)->health_log;
    }
    if (auto lines = context.machine->engine->last_logs(id, kKeptLines); lines) failure.last_logs = *lines;
    const auto shown = std::min(kShownLines, failure.last_logs.size());
    if (error.last_logs.empty())
      error.last_logs.assign(failure.last_logs.end() - static_cast<std::ptrdiff_t>(shown),
                             failure.last_logs.end());
  }
  failure.error = error;
  return context.world.repository.failures().put(failure);
}

}  // namespace slipway::deployment_manager
