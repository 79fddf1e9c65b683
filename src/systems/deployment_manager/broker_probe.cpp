#include "systems/deployment_manager/broker_probe.hpp"

#include <fmt/format.h>

#include "base/ids.hpp"
#include "base/text.hpp"
#include "systems/deployment_manager/names.hpp"

namespace slipway::deployment_manager {
namespace {

constexpr std::chrono::minutes kKnownFor{5};
constexpr std::chrono::seconds kPatience{20};
constexpr milliseconds kLook{50};

// "SASL_PLAINTEXT://host:1" -> "host:1": the probe opens a connection and says nothing.
std::string addresses(const std::string& brokers) {
  std::vector<std::string> plain;
  for (const auto& broker : split(brokers, ',')) {
    const auto scheme = broker.find("://");
    plain.push_back(scheme == std::string::npos ? broker : broker.substr(scheme + 3));
  }
  return join(plain, ",");
}

}  // namespace

Status BrokerProbe::check(const MachineEngine& machine, const std::string& network,
                          const std::stop_token& stop) {
  const std::pair key{machine.machine.name, network};
  {
    std::lock_guard lock(mutex_);
    const auto found = reached_.find(key);
    if (found != reached_.end() && world_.clock.mono() - found->second < kKnownFor) return {};
  }
  SLIPWAY_ASSIGN(const auto tried, run(machine, network, stop));
  if (tried.exit_code == 0) {
    std::lock_guard lock(mutex_);
    reached_[key] = world_.clock.mono();
    return {};
  }
  // Kafka itself is away: that passes, and says nothing about the machine.
  SLIPWAY_TRY(world_.bus.ping(std::chrono::seconds{3}));
  Error error = invalid(
      "kafka.unreachable_from_machine",
      fmt::format("a container on {} does not reach Kafka at {}: {}", machine.machine.name,
                  world_.settings.services_kafka, join(tried.lines, "; ")),
      fmt::format("open the way from the containers of {} to it, or set kafka.machine_brokers to an address "
                  "that they reach",
                  machine.machine.name));
  error.last_logs = tried.lines;
  return error;
}

Result<BrokerProbe::Tried> BrokerProbe::run(const MachineEngine& machine, const std::string& network,
                                            const std::stop_token& stop) {
  auto& engine = *machine.engine;
  SLIPWAY_ASSIGN(const auto image, agents_.supply_image(engine));
  ports::ContainerSpec spec;
  spec.name = fmt::format("{}-probe-{}", agent_name(world_.settings.instance), make_uuid().substr(0, 8));
  spec.image = image.reference;
  spec.labels = {{std::string(kLabelInstance), world_.settings.instance}, {std::string(kLabelRole), "probe"}};
  spec.entrypoint = {"/probe/slipway-probe"};
  spec.command = {"connect", addresses(world_.settings.services_kafka), "--timeout", "3s"};
  spec.user = "65532:65532";
  spec.read_only_root = true;
  spec.network = network;
  spec.memory = 16LL << 20;
  spec.pids = 16;
  spec.init = false;
  SLIPWAY_ASSIGN(const auto id, engine.create(spec));
  auto tried = wait_for_end(engine, id, stop);
  if (auto removed = engine.remove(id, true); !removed)
    world_.log.warn("a probe's container stays behind", removed.error());
  return tried;
}

Result<BrokerProbe::Tried> BrokerProbe::wait_for_end(ports::Engine& engine, const std::string& id,
                                                     const std::stop_token& stop) {
  SLIPWAY_TRY(engine.start(id));
  const MonoTime until = world_.clock.mono() + kPatience;
  for (;;) {
    SLIPWAY_ASSIGN(const auto container, engine.inspect(id));
    if (!container) return unavailable("engine.probe_gone", "the probe's container was removed meanwhile");
    if (!container->running && container->state != "created") {
      Tried tried{.exit_code = container->exit_code, .lines = {}};
      SLIPWAY_ASSIGN(tried.lines, engine.last_logs(id, 20));
      return tried;
    }
    if (world_.clock.mono() >= until)
      return unavailable("engine.probe_silent",
                         fmt::format("the probe did not end within {} s", kPatience.count()));
    if (!world_.clock.sleep(kLook, stop)) return conflict("cancelled", "stopped while Kafka was tried");
  }
}

}  // namespace slipway::deployment_manager
