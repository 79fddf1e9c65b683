#include "systems/deployment_manager/agent_keeper.hpp"

#include <fmt/format.h>

#include <charconv>
#include <nlohmann/json.hpp>

#include "base/digest.hpp"
#include "base/text.hpp"
#include "systems/deployment_manager/names.hpp"

namespace slipway::deployment_manager {
namespace {

constexpr std::string_view kAgentUser = "65531:65531";

}  // namespace

int compare_versions(std::string_view a, std::string_view b) {
  const auto as = split(a, '.'), bs = split(b, '.');
  for (std::size_t i = 0; i < std::max(as.size(), bs.size()); ++i) {
    const auto number = [i](const std::vector<std::string>& parts) {
      int value = 0;
      if (i < parts.size()) std::from_chars(parts[i].data(), parts[i].data() + parts[i].size(), value);
      return value;
    };
    if (number(as) != number(bs)) return number(as) < number(bs) ? -1 : 1;
  }
  return 0;
}

std::mutex& AgentKeeper::mutex_of(const std::string& machine) {
  std::lock_guard lock(mutex_);
  return per_machine_[machine];
}

Result<AgentImage> AgentKeeper::image_for(ports::Engine& engine) {
  SLIPWAY_ASSIGN(const auto info, engine.info());
  const auto found = world_.settings.agents.find(docker_architecture(info.architecture));
  if (found == world_.settings.agents.end())
    return invalid("agent.no_image",
                   fmt::format("there is no Machine Agent for the architecture {}", info.architecture),
                   "build it and put agent-<arch>.tar into agent.images_dir");
  return found->second;
}

Status AgentKeeper::ensure_image(ports::Engine& engine, const AgentImage& image) {
  SLIPWAY_ASSIGN(const auto there, engine.inspect_image(image.reference));
  if (there) return {};
  return engine.load_image(image.archive);
}

Result<AgentImage> AgentKeeper::supply_image(ports::Engine& engine) {
  SLIPWAY_ASSIGN(auto image, image_for(engine));
  SLIPWAY_TRY(ensure_image(engine, image));
  return image;
}

Result<std::string> AgentKeeper::probe_volume(ports::Engine& engine) {
  SLIPWAY_ASSIGN(const auto image, image_for(engine));
  const std::string volume = "slipway-probe-" + image.probe_digest.substr(0, 12);
  SLIPWAY_ASSIGN(const bool there, engine.has_volume(volume));
  if (there) return volume;
  SLIPWAY_TRY(ensure_image(engine, image));
  // A container that is only created populates the new volume with what its image has at that path.
  ports::ContainerSpec spec;
  spec.name = volume;
  spec.image = image.reference;
  spec.labels = {{std::string(kLabelInstance), world_.settings.instance}, {std::string(kLabelRole), "probe"}};
  spec.mounts.push_back({ports::Mount::Kind::kVolume, volume, "/probe", false, 0});
  spec.network = "none";
  const auto created = engine.create(spec);
  if (created) {
    SLIPWAY_TRY(engine.remove(*created, true));
  } else if (created.error().code != "engine.name_taken") {
    return created.error();
  } else if (const auto left = engine.inspect(spec.name);
             left && *left && is_ours(**left, world_.settings.instance)) {
    SLIPWAY_TRY(engine.remove((*left)->id, true));  // a predecessor died between create and remove
  }
  return volume;
}

Result<AgentKeeper::Wanted> AgentKeeper::plan(const MachineEngine& machine) {
  SLIPWAY_ASSIGN(auto image, image_for(*machine.engine));
  const auto& settings = world_.settings;
  const std::string config = nlohmann::json{{"machine", machine.machine.name},
                                            {"topic", settings.stats_topic},
                                            {"interval_ms", settings.agent_interval.count()}}
                                 .dump();
  const std::string kafka =
      fmt::format("bootstrap.servers={}\n{}", settings.agents_kafka, settings.agents_kafka_options);
  Wanted wanted{.image = image,
                .config_digest = sha256_hex(config + "\n" + kafka + "\n" + image.reference).substr(0, 16),
                .spec = {},
                .files = {{"agent.json", config, 0444, 0, 0}, {"kafka.properties", kafka, 0444, 0, 0}}};
  auto& spec = wanted.spec;
  spec.name = agent_name(settings.instance);
  spec.image = image.reference;
  spec.labels = {{std::string(kLabelInstance), settings.instance},
                 {std::string(kLabelRole), "agent"},
                 {std::string(kLabelAgentConfig), wanted.config_digest},
                 {std::string(kLabelAgentVersion), image.version}};
  spec.user = kAgentUser;
  using Kind = ports::Mount::Kind;
  spec.mounts = {
      {Kind::kBind, "/sys/fs/cgroup", "/sys/fs/cgroup", true, 0},
      {Kind::kVolume, "", "/run/slipway", false, 0},
      {Kind::kVolume, agent_name(settings.instance) + "-spool", "/var/lib/slipway-agent", false, 0}};
  spec.read_only_root = true;
  spec.network = "host";
  spec.host_pid = true;
  spec.host_cgroup = true;
  spec.memory = 64LL << 20;
  spec.cpus = 0.5;
  spec.pids = 64;
  spec.init = false;
  spec.restart = "always";
  return wanted;
}

Result<AgentKeeper::Put> AgentKeeper::ensure(const MachineEngine& machine) {
  std::lock_guard lock(mutex_of(machine.machine.name));
  SLIPWAY_ASSIGN(const auto wanted, plan(machine));
  SLIPWAY_ASSIGN(const auto old, machine.engine->inspect(wanted.spec.name));
  const auto seen = samples_.last(machine.machine.name);
  Put put{.version = wanted.image.version,
          .started = false,
          .old_boot_id = seen ? seen->boot_id : "",
          .since = world_.clock.mono()};
  if (old && !is_ours(*old, world_.settings.instance))
    return conflict("engine.name_taken",
                    fmt::format("a foreign container holds the name {}", wanted.spec.name),
                    "rename or remove it, or set another instance");
  if (old && old->running) {
    const std::string_view version = find_label(old->labels, kLabelAgentVersion);
    const bool newer = compare_versions(version, wanted.image.version) > 0;
    if (newer || find_label(old->labels, kLabelAgentConfig) == wanted.config_digest) {
      put.version = version;
      return put;
    }
  }
  SLIPWAY_TRY(replace(machine, wanted, old));
  put.started = true;
  return put;
}

Status AgentKeeper::replace(const MachineEngine& machine, const Wanted& wanted,
                            const std::optional<ports::Container>& old) {
  auto& engine = *machine.engine;
  SLIPWAY_TRY(ensure_image(engine, wanted.image));
  SLIPWAY_TRY(probe_volume(engine));
  // Two agents would number their samples side by side: the old one is gone before the new one starts.
  if (old) SLIPWAY_TRY(engine.remove(old->id, true));
  auto id = engine.create(wanted.spec);
  if (!id && id.error().retryable()) {
    if (auto made = engine.inspect(wanted.spec.name); made && *made) id = (*made)->id;
  }
  if (!id) return id.error();
  SLIPWAY_ASSIGN(const auto tar, world_.archives.make_tar(wanted.files));
  SLIPWAY_TRY(engine.put_archive(*id, "/run/slipway", tar));
  SLIPWAY_TRY(engine.start(*id));
  ports::Instance instance{.service_id = "slipway-agent",
                           .release = 0,
                           .replica = 1,
                           .machine = machine.machine.name,
                           .container_id = *id,
                           .container_name = wanted.spec.name,
                           .state = "running",
                           .health = "none",
                           .ports = {},
                           .since = world_.clock.now()};
  return world_.repository.instances().put(instance);
}

Status AgentKeeper::wait_for_sample(const MachineEngine& machine, const Put& put, MonoTime deadline,
                                    const std::stop_token& stop) {
  const auto& name = machine.machine.name;
  // One that ran all along has been heard a moment ago, or will be within a second or two.
  const auto seen = samples_.last(name);
  if (!put.started && seen && world_.clock.mono() - seen->at < std::chrono::seconds{5}) return {};
  if (samples_.wait(name, put.since, put.started ? put.old_boot_id : "", deadline, stop)) return {};
  Error silent = unavailable(
      "agent.silent", fmt::format("the Machine Agent on {} runs, but none of its samples arrived", name),
      fmt::format("can {} reach Kafka at {}? (setting kafka.machine_brokers)", name,
                  world_.settings.agents_kafka));
  if (auto agent = machine.engine->inspect(agent_name(world_.settings.instance)); agent && *agent)
    if (auto lines = machine.engine->last_logs((*agent)->id, 20); lines) silent.last_logs = *lines;
  return silent;
}

Status AgentKeeper::remove(const MachineEngine& machine) {
  std::lock_guard lock(mutex_of(machine.machine.name));
  SLIPWAY_ASSIGN(const auto agent, machine.engine->inspect(agent_name(world_.settings.instance)));
  if (!agent || !is_ours(*agent, world_.settings.instance)) return {};
  return machine.engine->remove(agent->id, true);
}

}  // namespace slipway::deployment_manager
