#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"

// The words of the Engine port: what a container, an image and an engine are to us.
namespace slipway::ports {

struct EngineInfo {
  std::string version, api_version, name, architecture, os, kernel, storage_driver, root_dir;
  int cgroup_version = 1;
  int cpus = 0;
  std::int64_t memory = 0;  ///< bytes
  std::string engine_id;
};

struct Image {
  std::string id;
  std::vector<std::string> tags;
  std::map<std::string, std::string> labels;
  std::string user;          ///< the image's USER, or empty
  std::vector<int> exposed;  ///< ports
  std::vector<std::string> entrypoint, command;
};

struct BuildSpec {
  std::string tag;
  std::string dockerfile = "Dockerfile";      ///< path in the context
  std::map<std::string, std::string> labels;  ///< also set before any RUN, so that leftovers are found
  std::map<std::string, std::string> args;
  bool network = false;  ///< RUN steps may reach the network
  std::chrono::seconds deadline{900};
  std::chrono::seconds idle{120};
};

struct Mount {
  enum class Kind { kBind, kVolume, kTmpfs } kind = Kind::kVolume;
  std::string source;  ///< path, volume name, or empty: an anonymous volume
  std::string target;
  bool read_only = false;
  std::int64_t tmpfs_size = 0;
  std::map<std::string, std::string> labels;  ///< of a volume that is made for it
};

struct Volume {
  std::string name;
  std::map<std::string, std::string> labels;
};

struct PublishedPort {
  int target = 0;
  int published = 0;  ///< 0: the engine picks one
  std::string host_ip = "127.0.0.1";
  std::string protocol = "tcp";
};

struct ContainerHealthCheck {
  std::vector<std::string> test;  ///< argv; empty: none
  std::chrono::milliseconds interval{30'000}, timeout{2'000}, start_period{20'000};
  int retries = 3;
};

/// Everything is off unless asked for: no capabilities, no new privileges, own namespaces, default seccomp.
struct ContainerSpec {
  std::string name, image;
  std::optional<std::vector<std::string>> entrypoint, command;  ///< none: the image's
  std::vector<std::pair<std::string, std::string>> env;
  std::map<std::string, std::string> labels;
  std::string user, working_dir;  ///< empty: the image's
  std::vector<PublishedPort> ports;
  std::vector<Mount> mounts;
  bool read_only_root = false;
  std::string network = "bridge";  ///< bridge, host, none; any other is made where it is missing
  bool host_pid = false, host_cgroup = false;
  std::int64_t memory = 256LL << 20;  ///< = memory + swap
  double cpus = 1;
  int pids = 256;
  bool init = true;
  std::string restart = "no";  ///< no, always, on-failure:5
  std::string stop_signal;
  std::chrono::seconds stop_grace{10};
  ContainerHealthCheck health;
  std::vector<std::string> extra_hosts;
};

/// What can be changed on a container while it runs.
struct Limits {
  std::int64_t memory = 0;  ///< bytes; = memory + swap
  std::int64_t nano_cpus = 0;
  std::int64_t pids = 0;
  bool operator==(const Limits&) const = default;
};

struct Container {
  std::string id, name, image, image_id;
  std::map<std::string, std::string> labels;
  std::string state;  ///< created running restarting paused exited dead
  bool running = false;
  int exit_code = 0;
  bool oom_killed = false;
  std::string error;       ///< the engine's words if it could not start
  std::string health;      ///< healthy unhealthy starting none
  std::string health_log;  ///< output of the last check
  std::string restart;     ///< policy: no, always, on-failure:5
  int restart_count = 0;
  Limits limits;
  std::string started_at, finished_at;  ///< as the engine says, RFC 3339 with nanoseconds
  std::map<int, std::string> ports;  ///< container port -> "127.0.0.1:49153"; empty in list() of stopped ones
};

struct LogOptions {
  bool follow = false;
  std::size_t tail = 100;
  bool timestamps = false;
};

struct ExecSpec {
  std::vector<std::string> argv;
  std::string user;   ///< empty: the container's
  std::string input;  ///< to standard input
  std::chrono::milliseconds deadline{30'000};
  std::function<void(std::string_view line)> on_line;  ///< output while it comes; may be empty
};

struct ExecResult {
  int exit_code = 0;
  std::string output;  ///< standard output and error, at most 64 KiB
};

struct EngineEvent {
  std::string action;  ///< create start die oom stop destroy health_status kill
  std::string container_id;
  std::map<std::string, std::string> labels;  ///< and name, image, exitCode as the engine gives them
  std::optional<int> exit_code;
  std::string health;  ///< of health_status
  WallTime at{};
};

}  // namespace slipway::ports
