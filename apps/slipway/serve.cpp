#include "serve.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <memory>
#include <sstream>

#include "adapters/archive/archives.hpp"
#include "adapters/docker/engines.hpp"
#include "adapters/http/server.hpp"
#include "adapters/kafka/kafka_bus.hpp"
#include "adapters/repository/repository.hpp"
#include "agent_images.hpp"
#include "base/backoff.hpp"
#include "base/text.hpp"
#include "gateway/gateway.hpp"
#include "identity.hpp"
#include "partition_counts.hpp"
#include "systems/deployment_manager/deployment_manager.hpp"
#include "systems/heart_beat_manager/heart_beat_manager.hpp"
#include "systems/life_cycle_manager/life_cycle_manager.hpp"
#include "systems/monitoring_service/monitoring_service.hpp"
#include "systems/node_manager/node_manager.hpp"
#include "systems/scheduler/scheduler.hpp"
#include "systems/sensor_manager/sensor_manager.hpp"

namespace slipway {
namespace {

// Calls until it works or cannot ever work; says once what it waits for.
template <class Open>
auto wait_for(const std::string& what, Clock& clock, const Log& log, const std::stop_token& stop, Open open)
    -> decltype(open()) {
  Backoff backoff(milliseconds{200}, milliseconds{3000});
  for (;;) {
    auto result = open();
    if (result || !result.error().retryable()) return result;
    if (backoff.tries() == 0) log.warn(fmt::format("waiting for {}", what), result.error());
    if (!clock.sleep(backoff.next(), stop)) return result;
  }
}

std::string properties(const std::map<std::string, std::string>& options) {
  std::string text;
  for (const auto& [key, value] : options) text += fmt::format("{}={}\n", key, value);
  return text;
}

Result<std::string> read_file(const std::string& path) {
  if (path.empty()) return std::string{};
  std::ifstream in(path);
  if (!in) return not_found("config.value", fmt::format("build.ca_bundle: cannot read {}", path));
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

Result<std::optional<SecretBox>> read_secret_key(const ServerSettings& settings) {
  if (settings.secrets_key_file.empty()) return std::optional<SecretBox>{};
  SLIPWAY_ASSIGN(auto box, SecretBox::load(settings.secrets_key_file));
  return std::optional(std::move(box));
}

Result<deployment_manager::Settings> deployment_settings(const ServerSettings& settings,
                                                         const std::string& owner,
                                                         const messages::Topics& topics) {
  deployment_manager::Settings out;
  out.instance = settings.instance;
  out.owner = owner;
  out.services_kafka = out.agents_kafka = settings.kafka_machine_brokers;
  out.services_kafka_options = properties(settings.kafka_for_services);
  out.agents_kafka_options = properties(settings.kafka_for_agents);
  out.stats_topic = topics.machine_stats;
  out.allowed_roots = settings.allowed_roots;
  SLIPWAY_ASSIGN(out.agents, find_agent_images(settings.agent_images_dir));
  out.runtime_bases = settings.runtime_images;
  out.runtime_toolchains = settings.runtime_build_images;
  out.meta_policy.runtimes.clear();
  for (const auto& [runtime, image] : settings.runtime_images) {
    const auto versions = settings.runtime_versions.find(runtime);
    out.meta_policy.runtimes[runtime] =
        versions == settings.runtime_versions.end() ? std::vector<std::string>{} : versions->second;
  }
  SLIPWAY_ASSIGN(out.ca_bundle, read_file(settings.ca_bundle_file));
  SLIPWAY_ASSIGN(out.secret_box, read_secret_key(settings));
  out.build_deadline = std::chrono::ceil<std::chrono::seconds>(settings.build_deadline);
  out.agent_interval = settings.agent_interval;
  out.reconcile_period = std::chrono::ceil<std::chrono::seconds>(settings.reconcile_period);
  out.orphan_patience = std::chrono::ceil<std::chrono::seconds>(settings.orphans_after);
  return out;
}

Result<http::ServerSettings> http_settings(const std::string& bind) {
  const auto colon = bind.rfind(':');
  const auto number = colon == std::string::npos ? std::string{} : bind.substr(colon + 1);
  if (number.empty() || number.size() > 5 ||
      !std::ranges::all_of(number, [](char c) { return c >= '0' && c <= '9'; }) || std::stoi(number) > 65535)
    return invalid("config.value", fmt::format("http.bind '{}' is no address with a port", bind),
                   "127.0.0.1:7420");
  return http::ServerSettings{.bind = bind.substr(0, colon),
                              .port = static_cast<std::uint16_t>(std::stoi(number))};
}

Result<std::vector<std::string>> chosen_roles(const ServerSettings& settings) {
  std::vector<std::string> roles;
  for (const auto& role : settings.roles) {
    if (role == "all") {
      roles = role_names();
    } else if (std::ranges::find(role_names(), role) != role_names().end()) {
      roles.push_back(role);
    } else {
      const auto near = did_you_mean(role, role_names());
      return invalid("config.value", fmt::format("unknown role '{}'", role),
                     near ? fmt::format("did you mean '{}'?", *near) : join(role_names(), ", "));
    }
  }
  return roles;
}

// What every role is made of. Members are destroyed in reverse: the roles first.
struct Site {
  SystemClock clock;
  messages::Topics topics;
  std::unique_ptr<Archives> archives = archive::make_archives();
  std::unique_ptr<ports::Bus> bus;
  std::unique_ptr<ports::Repository> repository;
  std::unique_ptr<ports::Engines> engines;
  std::unique_ptr<ports::HttpServer> http;
  std::unique_ptr<monitoring_service::MonitoringService> monitoring_service;
  std::unique_ptr<heart_beat_manager::HeartBeatManager> heart_beat_manager;
  std::unique_ptr<sensor_manager::SensorManager> sensor_manager;
  std::unique_ptr<node_manager::NodeManager> node_manager;
  std::unique_ptr<scheduler::Scheduler> scheduler;
  std::unique_ptr<life_cycle_manager::LifeCycleManager> life_cycle_manager;
  std::unique_ptr<deployment_manager::DeploymentManager> deployment_manager;
  std::unique_ptr<gateway::Gateway> gateway;

  explicit Site(const std::string& prefix) : topics(prefix) {}
};

Status open_components(Site& site, const ServerSettings& settings, const Log& log,
                       const std::stop_token& stop) {
  SLIPWAY_ASSIGN(site.bus,
                 kafka::open_bus({.brokers = settings.kafka_brokers, .properties = settings.kafka_properties},
                                 site.clock, log.named("kafka"), stop));
  site.engines = docker::make_engines({.unix_sockets = settings.unix_sockets,
                                       .insecure_networks = settings.insecure_networks,
                                       .credentials_dir = settings.credentials_dir},
                                      log.named("docker"));
  const auto specs = site.topics.all();
  SLIPWAY_TRY(wait_for(fmt::format("Kafka at {}", settings.kafka_brokers), site.clock, log, stop,
                       [&] { return site.bus->ensure_topics(specs); }));
  SLIPWAY_ASSIGN(site.repository, wait_for("the Repository", site.clock, log, stop, [&] {
                   return repository::open_repository(
                       {.uri = settings.mongodb_uri, .database = settings.mongodb_database}, site.clock,
                       log.named("repository"));
                 }));
  return {};
}

Status refuse_changed_counts(Site& site, const Log& log, const std::stop_token& stop) {
  SLIPWAY_ASSIGN(const auto changes, wait_for("the topics' partition counts", site.clock, log, stop, [&] {
                   return check_partition_counts(*site.bus, *site.repository, site.clock, site.topics);
                 }));
  for (const auto& one : changes.warned)
    log.warn("a topic's partition count has changed",
             {{"code", one.code}, {"error", one.message}, {"hint", one.hint}});
  return changes.refused ? Status{*changes.refused} : Status{};
}

Status start_roles(Site& site, const ServerSettings& settings, const std::vector<std::string>& roles,
                   const std::string& owner, const Failpoints& failpoints, const Log& log) {
  const auto runs = [&](const std::string& role) { return std::ranges::find(roles, role) != roles.end(); };
  auto& bus = *site.bus;
  auto& repository = *site.repository;
  auto& clock = site.clock;
  const auto& topics = site.topics;
  if (runs("monitoring_service"))
    site.monitoring_service = std::make_unique<monitoring_service::MonitoringService>(
        bus, repository, clock, log.named("monitoring_service"), topics);
  if (runs("heart_beat_manager"))
    site.heart_beat_manager = std::make_unique<heart_beat_manager::HeartBeatManager>(
        bus, repository, clock, log.named("heart_beat_manager"), topics,
        heart_beat_manager::HeartBeatManagerSettings{.holder = owner});
  if (runs("sensor_manager"))
    site.sensor_manager = std::make_unique<sensor_manager::SensorManager>(
        bus, repository, clock, log.named("sensor_manager"), topics,
        sensor_manager::SensorManagerSettings{.holder = owner});
  if (runs("node_manager"))
    site.node_manager = std::make_unique<node_manager::NodeManager>(
        bus, repository, *site.engines, clock, log.named("node_manager"), topics,
        node_manager::NodeManagerSettings{.holder = owner});
  if (runs("scheduler"))
    site.scheduler =
        std::make_unique<scheduler::Scheduler>(bus, repository, clock, log.named("scheduler"), topics,
                                               scheduler::SchedulerSettings{.holder = owner});
  if (runs("life_cycle_manager"))
    site.life_cycle_manager = std::make_unique<life_cycle_manager::LifeCycleManager>(
        bus, repository, clock, log.named("life_cycle_manager"), topics,
        life_cycle_manager::LifeCycleManagerSettings{.holder = owner});
  if (runs("deployment_manager")) {
    SLIPWAY_ASSIGN(auto deployment, deployment_settings(settings, owner, topics));
    site.deployment_manager =
        std::make_unique<deployment_manager::DeploymentManager>(deployment_manager::World{
            bus, repository, *site.engines, *site.archives, clock, log.named("deployment_manager"), topics,
            std::move(deployment), failpoints});
  }
  if (runs("gateway")) {
    SLIPWAY_ASSIGN(const auto http, http_settings(settings.http_bind));
    SLIPWAY_ASSIGN(auto secret_box, read_secret_key(settings));
    SLIPWAY_ASSIGN(site.http, http::listen(http, log.named("gateway")));
    site.gateway = std::make_unique<gateway::Gateway>(
        *site.http, bus, repository, *site.engines, clock, log.named("gateway"), topics,
        gateway::GatewaySettings{
            .version = SLIPWAY_VERSION, .instance = settings.instance, .secret_box = std::move(secret_box)});
    log.info("listening", {{"url", fmt::format("http://{}", settings.http_bind)}});
  }
  return {};
}

}  // namespace

const std::vector<std::string>& role_names() {
  static const std::vector<std::string> kRoles{
      "deployment_manager", "monitoring_service", "life_cycle_manager", "sensor_manager",
      "scheduler",          "heart_beat_manager", "node_manager",       "gateway"};
  return kRoles;
}

Status serve(const ServerSettings& settings, const Failpoints& failpoints, const Log& log,
             const std::stop_token& stop) {
  SLIPWAY_ASSIGN(const auto roles, chosen_roles(settings));
  SLIPWAY_TRY(http_settings(settings.http_bind));
  SLIPWAY_TRY(read_secret_key(settings));
  SLIPWAY_ASSIGN(const auto identity, Identity::take(settings.state_dir));
  Site site(settings.topic_prefix);
  SLIPWAY_TRY(open_components(site, settings, log, stop));
  SLIPWAY_TRY(refuse_changed_counts(site, log, stop));
  SLIPWAY_TRY(start_roles(site, settings, roles, identity.name(), failpoints, log));
  log.info("serving",
           {{"roles", join(roles, ",")}, {"version", SLIPWAY_VERSION}, {"identity", identity.name()}});
  while (site.clock.sleep(std::chrono::hours{1}, stop)) {
  }
  log.info("stopping");
  return {};
}

}  // namespace slipway
