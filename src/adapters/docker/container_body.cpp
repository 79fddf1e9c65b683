#include "adapters/docker/container_body.hpp"

#include <fmt/format.h>

#include <cmath>

#include "adapters/docker/json_fields.hpp"

namespace slipway::docker {
namespace {

Json nanoseconds(std::chrono::milliseconds duration) {
  return duration.count() * 1'000'000;
}

Json restart_policy(const std::string& policy) {
  const auto colon = policy.find(':');
  Json json{{"Name", policy.substr(0, colon)}};
  if (colon != std::string::npos) json["MaximumRetryCount"] = std::atoi(policy.c_str() + colon + 1);
  return json;
}

Json health_check(const ports::ContainerHealthCheck& health) {
  if (health.test.empty()) return {{"Test", {"NONE"}}};
  Json test{"CMD"};
  for (const auto& word : health.test) test.push_back(word);
  return {{"Test", test},
          {"Interval", nanoseconds(health.interval)},
          {"Timeout", nanoseconds(health.timeout)},
          {"StartPeriod", nanoseconds(health.start_period)},
          {"Retries", health.retries}};
}

Json mount_body(const ports::Mount& mount) {
  const bool bind = mount.kind == ports::Mount::Kind::kBind;
  Json json{{"Type", bind ? "bind" : "volume"}, {"Target", mount.target}, {"ReadOnly", mount.read_only}};
  if (!mount.source.empty()) json["Source"] = mount.source;  // a volume without one is anonymous
  if (!bind && !mount.labels.empty()) json["VolumeOptions"] = {{"Labels", mount.labels}};
  return json;
}

std::string tmpfs_options(const ports::Mount& mount) {
  std::string options = "mode=1777";  // else only root could write
  if (mount.tmpfs_size > 0) options += fmt::format(",size={}", mount.tmpfs_size);
  if (mount.read_only) options += ",ro";
  return options;
}

Json port_bindings(const std::vector<ports::PublishedPort>& ports) {
  Json bindings = Json::object();
  for (const auto& port : ports) {
    bindings[fmt::format("{}/{}", port.target, port.protocol)].push_back(
        {{"HostIp", port.host_ip}, {"HostPort", std::to_string(port.published)}});
  }
  return bindings;
}

Json host_config(const ports::ContainerSpec& spec) {
  Json mounts = Json::array(), tmpfs = Json::object();
  for (const auto& mount : spec.mounts) {
    if (mount.kind == ports::Mount::Kind::kTmpfs) {
      tmpfs[mount.target] = tmpfs_options(mount);
    } else {
      mounts.push_back(mount_body(mount));
    }
  }
  Json host{{"NetworkMode", spec.network},
            {"PortBindings", port_bindings(spec.ports)},
            {"Mounts", mounts},
            {"Tmpfs", tmpfs},
            {"CapDrop", {"ALL"}},
            {"SecurityOpt", {"no-new-privileges"}},
            {"ReadonlyRootfs", spec.read_only_root},
            {"CgroupnsMode", spec.host_cgroup ? "host" : "private"},
            {"Init", spec.init},
            {"RestartPolicy", restart_policy(spec.restart)},
            {"LogConfig", {{"Type", "local"}, {"Config", {{"max-size", "10m"}, {"max-file", "3"}}}}}};
  if (spec.host_pid) host["PidMode"] = "host";
  if (spec.memory > 0) {
    host["Memory"] = spec.memory;
    host["MemorySwap"] = spec.memory;
  }
  if (spec.cpus > 0) host["NanoCpus"] = std::llround(spec.cpus * 1e9);
  if (spec.pids > 0) host["PidsLimit"] = spec.pids;
  if (!spec.extra_hosts.empty()) host["ExtraHosts"] = spec.extra_hosts;
  return host;
}

}  // namespace

std::string container_body(const ports::ContainerSpec& spec) {
  Json env = Json::array(), exposed = Json::object();
  for (const auto& [name, value] : spec.env) env.push_back(fmt::format("{}={}", name, value));
  for (const auto& port : spec.ports)
    exposed[fmt::format("{}/{}", port.target, port.protocol)] = Json::object();
  Json body{{"Image", spec.image},
            {"Env", env},
            {"Labels", spec.labels},
            {"ExposedPorts", exposed},
            {"StopTimeout", spec.stop_grace.count()},
            {"Healthcheck", health_check(spec.health)},
            {"HostConfig", host_config(spec)}};
  if (spec.entrypoint) body["Entrypoint"] = *spec.entrypoint;
  if (spec.command) body["Cmd"] = *spec.command;
  if (!spec.user.empty()) body["User"] = spec.user;
  if (!spec.working_dir.empty()) body["WorkingDir"] = spec.working_dir;
  if (!spec.stop_signal.empty()) body["StopSignal"] = spec.stop_signal;
  return dump(body);
}

std::string restart_body(const std::string& policy) {
  return dump({{"RestartPolicy", restart_policy(policy)}});
}

std::string limits_body(const ports::Limits& limits) {
  return dump({{"Memory", limits.memory},
               {"MemorySwap", limits.memory},
               {"NanoCpus", limits.nano_cpus},
               {"PidsLimit", limits.pids}});
}

}  // namespace slipway::docker
