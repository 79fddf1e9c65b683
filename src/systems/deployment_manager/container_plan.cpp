#include "systems/deployment_manager/container_plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/time_text.hpp"
#include "messages/topics.hpp"
#include "systems/deployment_manager/drift.hpp"
#include "systems/deployment_manager/names.hpp"
#include "systems/deployment_manager/secrets.hpp"

namespace slipway::deployment_manager {
namespace {

constexpr std::string_view kDefaultUser = "65532:65532";

std::string restart_policy(const meta_file::RestartPolicy& policy) {
  switch (policy.kind) {
    case meta_file::RestartPolicy::Kind::kNever:
      return "no";
    case meta_file::RestartPolicy::Kind::kOnFailure:
      return policy.max_retries == 0 ? "on-failure" : fmt::format("on-failure:{}", policy.max_retries);
    case meta_file::RestartPolicy::Kind::kAlways:
      break;
  }
  return "always";
}

// "boiler-air" -> "BOILER_AIR"
std::string env_word(std::string_view name) {
  std::string word(name);
  std::ranges::transform(word, word.begin(),
                         [](unsigned char c) { return c == '-' ? '_' : static_cast<char>(std::toupper(c)); });
  return word;
}

std::vector<std::pair<std::string, std::string>> environment(const PlanInput& input,
                                                             const Settings& settings) {
  const auto& service = input.service;
  std::vector<std::pair<std::string, std::string>> env(service.env.begin(), service.env.end());
  env.emplace_back("SLIPWAY_SERVICE", service.name);
  env.emplace_back("SLIPWAY_VERSION", input.release.version);
  env.emplace_back("SLIPWAY_RELEASE", std::to_string(input.release.number));
  env.emplace_back("SLIPWAY_MACHINE", input.machine);
  env.emplace_back("SLIPWAY_REPLICA", std::to_string(input.replica));
  env.emplace_back("SLIPWAY_REQUEST", input.request_id);
  env.emplace_back("SLIPWAY_KAFKA_BROKERS", settings.services_kafka);
  env.emplace_back("SLIPWAY_KAFKA_GROUP", messages::service_group(service.name));
  env.emplace_back("SLIPWAY_KAFKA_GROUP_INSTANCE", fmt::format("{}-{}", service.name, input.replica));
  for (const auto& [name, bound] : input.release.topics) {
    env.emplace_back(fmt::format("SLIPWAY_SENSOR_{}_TOPIC", env_word(name)), bound.topic);
    if (!bound.key.empty()) env.emplace_back(fmt::format("SLIPWAY_SENSOR_{}_KEY", env_word(name)), bound.key);
  }
  return env;
}

std::string sensors_json(const ports::Release& release) {
  nlohmann::json sensors = nlohmann::json::object();
  for (const auto& [name, bound] : release.topics) {
    sensors[name] = {{"topic", bound.topic}, {"sensor_id", bound.sensor_id}, {"key", bound.key}};
    if (bound.last_reading_at) sensors[name]["last_reading_at"] = to_rfc3339(*bound.last_reading_at);
  }
  return nlohmann::json{{"binding", release.binding}, {"sensors", sensors}}.dump(
      2, ' ', false, nlohmann::json::error_handler_t::replace);
}

ports::ContainerHealthCheck health_check(const meta_file::HealthCheck& check) {
  ports::ContainerHealthCheck health{.test = {},
                                     .interval = check.interval,
                                     .timeout = check.timeout,
                                     .start_period = check.start_period,
                                     .retries = static_cast<int>(check.retries)};
  const std::string timeout = fmt::format("{}ms", check.timeout.count());
  const std::string port = std::to_string(check.port);
  using Kind = meta_file::HealthCheck::Kind;
  if (check.kind == Kind::kHttp)
    health.test = {
        std::string(kProbePath), "http", "--port", port, "--path", check.path, "--timeout", timeout};
  if (check.kind == Kind::kTcp)
    health.test = {std::string(kProbePath), "tcp", "--port", port, "--timeout", timeout};
  if (check.kind == Kind::kTest) health.test = check.argv;
  return health;
}

std::map<std::string, std::string> labels(const PlanInput& input, const Settings& settings,
                                          const std::string& restart) {
  std::map<std::string, std::string> all;
  const auto set = [&](std::string_view key, std::string value) { all[std::string(key)] = std::move(value); };
  set(kLabelInstance, settings.instance);
  set(kLabelRole, "service");
  set(kLabelService, input.service.name);
  set(kLabelRelease, std::to_string(input.release.number));
  set(kLabelReplica, std::to_string(input.replica));
  set(kLabelRequest, input.request_id);
  set(kLabelImage, input.release.image_key);
  set(kLabelRestart, restart);
  return all;
}

std::string user_of(const PlanInput& input) {
  if (!input.service.user.empty()) return input.service.user;
  if (input.service.image_source == meta_file::ImageSource::kRuntime) return std::string(kDefaultUser);
  return {};  // the image's own
}

}  // namespace

bool runs_as_root(const meta_file::ServiceSpec& service, const std::string& image_user) {
  if (!service.user.empty() || service.image_source == meta_file::ImageSource::kRuntime) return false;
  return image_user.empty() || image_user == "root" || image_user == "0" || image_user.starts_with("0:") ||
         image_user.starts_with("root:");
}

std::vector<std::string> probe_wait(const meta_file::ServiceSpec& service) {
  const auto& check = service.healthcheck;
  using Kind = meta_file::HealthCheck::Kind;
  if (check.kind != Kind::kHttp && check.kind != Kind::kTcp) return {};
  std::vector<std::string> argv{std::string(kProbePath), "wait", check.kind == Kind::kHttp ? "http" : "tcp",
                                "--port", std::to_string(check.port)};
  if (check.kind == Kind::kHttp) argv.insert(argv.end(), {"--path", check.path});
  argv.insert(argv.end(), {"--timeout", fmt::format("{}ms", check.timeout.count()), "--healthy-for",
                           fmt::format("{}ms", service.update.healthy_for.count()), "--deadline",
                           fmt::format("{}ms", service.update.deadline.count())});
  return argv;
}

ContainerPlan plan_container(const PlanInput& input, const Settings& settings) {
  const auto& service = input.service;
  ContainerPlan plan;
  plan.restart = restart_policy(service.restart);

  auto& spec = plan.spec;
  spec.name = container_name(settings.instance, service.name, input.release.number, input.replica);
  spec.image = input.release.image;
  if (!service.entrypoint.empty()) spec.entrypoint = service.entrypoint;
  if (!service.command.empty()) spec.command = service.command;
  spec.env = environment(input, settings);
  spec.labels = labels(input, settings, plan.restart);
  const ports::Limits limits{static_cast<std::int64_t>(service.memory_bytes),
                             std::llround(service.cpus * 1e9), static_cast<std::int64_t>(service.pids)};
  spec.labels.emplace(kLabelLimits, encode_limits(limits));
  for (const auto& [key, value] : service.labels) spec.labels.emplace("service." + key, value);
  spec.user = user_of(input);
  spec.working_dir = service.working_dir;
  for (const auto& port : service.ports)
    spec.ports.push_back({.target = port.target,
                          .published = port.published,
                          .host_ip = port.host_ip,
                          .protocol = port.protocol});
  using Kind = ports::Mount::Kind;
  spec.mounts.push_back({Kind::kVolume, input.probe_volume, "/.slipway", true, 0});
  spec.mounts.push_back({Kind::kVolume, "", "/run/slipway", false, 0});
  if (!service.secrets.empty())
    spec.mounts.push_back({Kind::kVolume, "", std::string(kSecretsFolder), false, 0});
  for (const auto& volume : service.volumes)
    spec.mounts.push_back(
        {Kind::kVolume,
         settings.instance == "default"
             ? fmt::format("{}.{}", service.name, volume.name)
             : fmt::format("{}.{}.{}", settings.instance, service.name, volume.name),
         volume.path,
         volume.read_only,
         0,
         {{std::string(kLabelInstance), settings.instance}, {std::string(kLabelService), service.name}}});
  if (service.read_only) spec.mounts.push_back({Kind::kTmpfs, "", "/tmp", false, 64LL << 20});
  spec.read_only_root = service.read_only;
  spec.network = service.network == "bridge" ? network_name(settings.instance) : service.network;
  spec.memory = static_cast<std::int64_t>(service.memory_bytes);
  spec.cpus = service.cpus;
  spec.pids = static_cast<int>(service.pids);
  spec.restart = "no";  // the meta's policy is set when it is healthy
  spec.stop_signal = service.stop_signal;
  spec.stop_grace = std::chrono::ceil<std::chrono::seconds>(service.stop_grace_period);
  spec.health = health_check(service.healthcheck);

  plan.files = {
      {"sensors.json", sensors_json(input.release), 0444, 0, 0},
      {"kafka.properties",
       fmt::format("bootstrap.servers={}\n{}", settings.services_kafka, settings.services_kafka_options),
       0444, 0, 0}};
  return plan;
}

}  // namespace slipway::deployment_manager
