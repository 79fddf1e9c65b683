#include "meta_file/spec_reader.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <set>

#include "base/text.hpp"
#include "meta_file/dockerfile.hpp"
#include "meta_file/not_yet.hpp"

namespace slipway::meta_file {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kDigits = "0123456789";

// Absolute, plain characters, no "." or ".." parts, not what the kernel or Slipway puts there.
bool is_own_path(std::string_view path) {
  if (!all_of(path, kPathCharacters) || !path.starts_with('/') || path == "/" || path.contains("//"))
    return false;
  for (const auto& part : split(path, '/'))
    if (part == "." || part == "..") return false;
  for (const std::string_view taken : {"/proc", "/sys", "/dev", "/run/slipway", "/run/secrets"})
    if (path == taken || path.starts_with(std::string(taken) + "/")) return false;
  return true;
}

// Of the source, where the file says nothing.
const Guess* guess_of(const ServiceSpec& spec, std::span<const Guess> guesses) {
  const auto found = std::ranges::find(guesses, spec.runtime, &Guess::runtime);
  return found == guesses.end() ? nullptr : &*found;
}

void read_command(const Fields& root, ServiceSpec& spec, std::span<const Guess> guesses) {
  spec.command = root.words("command");
  spec.entrypoint = root.words("entrypoint");
  const bool named = root.node().find("command") != nullptr || root.node().find("entrypoint") != nullptr;
  const bool undecided = spec.runtime.empty() && !guesses.empty();  // said already
  if (!named && spec.image_source == ImageSource::kRuntime && !undecided) {
    const Guess* guess = guess_of(spec, guesses);
    if (guess != nullptr) spec.command = guess->command;
    if (spec.command.empty())
      root.problems().missing(root.node(),
                              "'command' is missing: nothing says what to run" +
                                  (guess == nullptr ? "" : fmt::format(" ({})", show(*guess))),
                              "write what to run, such as `command: python main.py`");
  }
  spec.working_dir = root.text("working_dir");
  if (const Node* folder = root.scalar("working_dir"); folder != nullptr && !is_own_path(folder->text))
    root.problems().add("meta.working_dir", *folder, "this cannot be a working directory",
                        "an absolute path inside the container, not / /proc /sys /dev, no '..'");
}

bool is_user_name(std::string_view text) {
  return all_of(text, "abcdefghijklmnopqrstuvwxyz0123456789_-") && text.size() <= 32 && text[0] != '-' &&
         !kDigits.contains(text[0]);
}

void read_user(const Fields& root, ServiceSpec& spec, const Policy& policy) {
  const Node* user = root.scalar("user");
  if (user == nullptr) return;
  const std::size_t colon = user->text.find(':');
  const std::string name = user->text.substr(0, colon);
  const std::string group = colon == std::string::npos ? "" : user->text.substr(colon + 1);
  const auto number = [](const std::string& text) -> std::optional<std::uint64_t> {
    if (!all_of(text, kDigits) || text.size() > 10) return std::nullopt;
    return std::stoull(text);
  };
  const auto uid = number(name);
  const auto gid = number(group);
  const bool root_user = name == "root" || uid == 0U;
  if (root_user && !policy.allow_root) {
    root.problems().add("machine.not_allowed", *user, "services do not run as root here",
                        "name another user, or have the machine's allow-list (machine.allow) changed");
    return;
  }
  const bool valid_user = uid ? *uid <= 4294967294U : is_user_name(name);
  const bool valid_group =
      colon == std::string::npos ||
      (gid ? *gid <= 4294967294U && (*gid != 0 || root_user) : is_user_name(group) && group != "root");
  const bool numeric = uid && (gid || group.empty());
  if (!valid_user || !valid_group || (spec.image_source == ImageSource::kRuntime && !numeric)) {
    root.problems().add("meta.user", *user,
                        fmt::format("'{}' cannot be the user", escape_for_people(user->text)),
                        spec.image_source == ImageSource::kRuntime
                            ? "write a user id or uid:gid (a generated image knows no names), no group 0"
                            : "write a user id, uid:gid, or a user's name of the image, no group 0");
    return;
  }
  // Without a group Docker takes group 0 for an id that the image does not know; generated images know none.
  spec.user = spec.image_source == ImageSource::kRuntime && group.empty() ? fmt::format("{}:{}", name, name)
                                                                          : user->text;
}

void read_env(const Fields& root, ServiceSpec& spec) {
  spec.env = root.text_map("env");
  spec.labels = root.text_map("labels");
  const auto reserved = [&](const char* map, std::string_view prefix, std::string_view code) {
    if (const auto values = root.map(map))
      for (const auto& entry : values->node().entries)
        if (entry.key.starts_with(prefix))
          root.problems().add(std::string(code), entry.value,
                              fmt::format("'{}': {}* is Slipway's own", entry.key, prefix),
                              "choose another name");
  };
  reserved("env", "SLIPWAY_", "meta.env_name");
  reserved("labels", "slipway.", "meta.label");
}

void read_limits(const Fields& root, ServiceSpec& spec) {
  const auto resources = root.map("resources");
  if (!resources) return;
  spec.cpus = resources->real("cpus").value_or(spec.cpus);
  spec.pids = resources->number("pids", spec.pids);
  if (spec.cpus < 0.01)
    root.problems().add("meta.range", *resources->node().find("cpus"),
                        "'resources.cpus' must be at least 0.01");
  const Node* memory = resources->scalar("memory");
  if (memory == nullptr) return;
  const auto bytes = parse_bytes(memory->text);
  if (bytes && *bytes >= 6ULL << 20 && *bytes <= 64ULL << 40) {
    spec.memory_bytes = *bytes;
  } else {
    root.problems().add("meta.range", *memory, "'resources.memory' must be between 6Mi and 64Ti");
  }
}

void read_stop(const Fields& root, ServiceSpec& spec) {
  const std::string restart = root.text("restart");
  if (restart == "never") spec.restart.kind = RestartPolicy::Kind::kNever;
  if (restart.starts_with("on-failure")) {
    spec.restart.kind = RestartPolicy::Kind::kOnFailure;
    const std::string count = restart.size() > 11 ? restart.substr(11) : "0";
    if (count.size() > 4)
      root.problems().add("meta.range", *root.scalar("restart"), "'restart' tries at most 9999 times");
    else
      spec.restart.max_retries = static_cast<std::uint32_t>(std::stoul(count));
  }
  static const std::vector<std::string> kSignals{"SIGTERM", "SIGINT",  "SIGQUIT", "SIGHUP",
                                                 "SIGKILL", "SIGUSR1", "SIGUSR2", "SIGWINCH",
                                                 "SIGABRT", "SIGALRM", "SIGCONT"};
  if (const Node* signal = root.scalar("stop_signal")) {
    spec.stop_signal = signal->text;
    if (std::ranges::find(kSignals, signal->text) == kSignals.end())
      root.problems().add("meta.enum", *signal,
                          fmt::format("'stop_signal' must be one of {}", fmt::join(kSignals, " ")));
  }
  spec.stop_grace_period = root.duration("stop_grace_period", spec.stop_grace_period, 0ms, 1h);
}

void read_update(const Fields& root, ServiceSpec& spec) {
  const auto update = root.map("update");
  if (!update) return;
  spec.update.healthy_for = update->duration("healthy_for", spec.update.healthy_for, 0ms, 1h);
  spec.update.deadline = update->duration("deadline", spec.update.deadline, 1s, 24h);
  if (spec.update.healthy_for >= spec.update.deadline)
    root.problems().add("meta.range", update->node(),
                        fmt::format("'update.healthy_for' ({}) must be less than 'update.deadline' ({})",
                                    show(spec.update.healthy_for), show(spec.update.deadline)));
}

void read_network(const Fields& root, ServiceSpec& spec) {
  if (const std::string network = root.text("network"); !network.empty()) spec.network = network;
  if (spec.network != "none") return;
  for (const char* key : {"ports", "sensors", "topics"})
    if (const Node* value = root.list(key); value != nullptr && !value->items.empty())
      root.problems().add("meta.conflict", *value,
                          fmt::format("'{}' needs a network, 'network' is none", key), "remove one of them");
}

void read_topics(const Fields& root, ServiceSpec& spec) {
  const Node* topics = root.list("topics");
  if (topics == nullptr) return;
  std::set<std::string> seen;
  for (const Node& topic : topics->items) {
    if (!topic.is_scalar() || root.problems().blamed(topic)) continue;
    const bool reserved = topic.text.starts_with("slipway.") || topic.text.starts_with("__");
    if (reserved || topic.text == "." || topic.text == ".." || !seen.insert(topic.text).second)
      root.problems().add("meta.topic", topic,
                          reserved ? fmt::format("'{}' belongs to Slipway or Kafka", topic.text)
                                   : fmt::format("'{}' is no name, or written twice", topic.text),
                          "choose another name");
    spec.topics.push_back(topic.text);
  }
}

void check_name(const Fields& root) {
  const Node* name = root.scalar("name");
  if (name != nullptr && name->text.starts_with("slipway"))
    root.problems().add("meta.name_reserved", *name, "names that start with 'slipway' are Slipway's own",
                        "choose another name");
}

}  // namespace

std::vector<VolumeMount> read_volumes(const Fields& root, ImageSource image_source) {
  std::vector<VolumeMount> all;
  const Node* list = root.list("volumes");
  if (list == nullptr) return all;
  for (const Node& node : list->items) {
    if (!node.is_scalar() || root.problems().blamed(node)) continue;
    const auto parts = split(node.text, ':');
    VolumeMount volume{parts[0], parts[1], parts.size() > 2 && parts[2] == "ro"};
    while (volume.path.size() > 1 && volume.path.ends_with('/')) volume.path.pop_back();
    const bool name_ok = all_of(volume.name, kPathCharacters) && !volume.name.contains('/') &&
                         volume.name.size() <= 64 &&
                         std::string_view("._-+@").find(volume.name[0]) == std::string_view::npos &&
                         volume.name.find_first_of("+@") == std::string::npos;
    const bool hides_code =
        image_source == ImageSource::kRuntime &&
        (volume.path == "/app" || volume.path == "/deps" || volume.path == "/usr" || volume.path == "/bin");
    if (!name_ok || !is_own_path(volume.path) || hides_code)
      root.problems().add("meta.volume", node,
                          fmt::format("'{}' cannot be mounted", escape_for_people(node.text)),
                          "write name:/path; not / /proc /sys /dev /app, only letters, digits and . _ - + @");
    if (std::ranges::find(all, volume.path, &VolumeMount::path) != all.end())
      root.problems().add("meta.volume", node, fmt::format("'{}' is mounted twice", volume.path));
    all.push_back(std::move(volume));
  }
  return all;
}

HealthCheck read_health(const Fields& root, std::span<const PortMapping> ports) {
  const auto first_tcp = std::ranges::find(ports, "tcp", &PortMapping::protocol);
  HealthCheck health;
  if (first_tcp != ports.end()) health.port = first_tcp->target;
  const auto map = root.map("healthcheck");
  if (!map) {
    const bool off = root.text("healthcheck") == "none";
    if (health.port != 0 && !off) health.kind = HealthCheck::Kind::kTcp;
    if (health.kind == HealthCheck::Kind::kNone) health.port = 0;
    return health;
  }
  if (map->scalar("http") != nullptr) {
    health.kind = HealthCheck::Kind::kHttp;
    health.path = map->text("http");
    health.port = static_cast<std::uint16_t>(map->number("port", health.port));
    if (health.port == 0 && map->node().find("port") == nullptr && map->node().find("tcp") == nullptr)
      root.problems().missing(map->node(), "'healthcheck' has no 'port', and the service has no tcp port",
                              "write the port that the service listens on");
  } else if (map->scalar("tcp") != nullptr) {
    health.kind = HealthCheck::Kind::kTcp;
    health.port = static_cast<std::uint16_t>(map->number("tcp", 0));
  } else {
    health.kind = HealthCheck::Kind::kTest;
    health.port = 0;
    health.argv = map->words("test");
    // Compose's forms.
    if (health.argv.size() > 1 && health.argv[0] == "CMD") health.argv.erase(health.argv.begin());
    if (health.argv.size() == 2 && health.argv[0] == "CMD-SHELL")
      health.argv = {"/bin/sh", "-c", health.argv[1]};
  }
  if (const Node* port = map->scalar("port"); port != nullptr && health.kind != HealthCheck::Kind::kHttp)
    root.problems().add("meta.conflict", *port, "'healthcheck.port' belongs to 'http'", "remove it");
  health.interval = map->duration("interval", health.interval, 100ms, 24h);
  health.timeout = map->duration("timeout", health.timeout, 10ms, 10min);
  health.start_period = map->duration("start_period", health.start_period, 0ms, 24h);
  health.retries = map->number("retries", health.retries);
  return health;
}

std::vector<const Node::Entry*> secrets_in_env(const Node& root) {
  std::vector<const Node::Entry*> found;
  const Node* env = root.find("env");
  if (env == nullptr) return found;
  for (const auto& entry : env->entries) {
    const std::string& value = entry.value.text;
    const bool github = value.size() >= 40 && (value.starts_with("ghp_") || value.starts_with("gho_"));
    const bool amazon = value.size() == 20 && value.starts_with("AKIA");
    const bool key = value.contains("-----BEGIN ") && value.contains("KEY-----");
    if (github || amazon || key) found.push_back(&entry);
  }
  return found;
}

ServiceSpec read_spec(const Fields& root, const Policy& policy, std::span<const Guess> guesses) {
  ServiceSpec spec;
  check_name(root);
  spec.name = root.text("name");
  spec.version = root.text("version");
  spec.description = root.text("description");
  spec.owner = root.text("owner");
  read_made_of(root, spec, policy, guesses);
  read_command(root, spec, guesses);
  read_user(root, spec, policy);
  read_env(root, spec);
  spec.secrets = read_secrets(root);
  spec.ports = read_ports(root, policy);
  spec.volumes = read_volumes(root, spec.image_source);
  read_network(root, spec);
  read_limits(root, spec);
  spec.read_only = root.boolean("read_only", false);
  spec.healthcheck = read_health(root, spec.ports);
  read_stop(root, spec);
  read_update(root, spec);
  spec.sensors = read_sensors(root);
  read_topics(root, spec);
  return spec;
}

}  // namespace slipway::meta_file
