#include "adapters/docker/answers.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "adapters/docker/json_fields.hpp"
#include "base/text.hpp"
#include "base/time_text.hpp"

namespace slipway::docker {
namespace {

Error malformed(std::string_view what) {
  return {ErrorKind::kCorrupt, "engine.malformed", fmt::format("the engine's answer has no {}", what)};
}

int leading_number(std::string_view text) {
  int number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

std::string address_of(const std::string& ip, const std::string& port) {
  return ip.find(':') != std::string::npos ? fmt::format("[{}]:{}", ip, port)
                                           : fmt::format("{}:{}", ip, port);
}

std::string without_slash(std::string name) {
  if (name.starts_with('/')) name.erase(0, 1);
  return name;
}

// {"8080/tcp": [{"HostIp": "127.0.0.1", "HostPort": "49153"}, ...] or null}: IPv4 comes first and is what we
// want.
std::map<int, std::string> parse_ports(const Json& ports) {
  std::map<int, std::string> found;
  if (!ports.is_object()) return found;
  for (const auto& [target, bindings] : ports.items()) {
    if (!bindings.is_array() || bindings.empty()) continue;
    found[leading_number(target)] =
        address_of(text_at(bindings[0], "HostIp"), text_at(bindings[0], "HostPort"));
  }
  return found;
}

std::string parse_restart(const Json& policy) {
  const auto name = text_at(policy, "Name");
  if (name == "on-failure") return fmt::format("on-failure:{}", int_at(policy, "MaximumRetryCount"));
  return name.empty() ? "no" : name;
}

std::string parse_health(const Json& health) {
  const auto status = text_at(health, "Status");
  return status.empty() ? "none" : status;
}

std::string last_health_output(const Json& health) {
  const auto& log = at(health, "Log");
  return log.is_array() && !log.empty() ? text_at(log.back(), "Output") : std::string{};
}

// "Up 2 seconds (health: starting)", "Up 3 hours (unhealthy)".
std::string health_in_words(std::string_view words) {
  if (words.ends_with("(healthy)")) return "healthy";
  if (words.ends_with("(unhealthy)")) return "unhealthy";
  return words.ends_with("(health: starting)") ? "starting" : "none";
}

int exit_code_in_words(std::string_view words) {
  const auto open = words.find('(');
  if (open == words.npos || !(words.starts_with("Exited") || words.starts_with("Restarting"))) return 0;
  return leading_number(words.substr(open + 1));
}

// "2026-11-22T14:45:21.5Z" -> "1795358721.500000000"
std::string seconds_and_nanoseconds(const std::string& rfc3339) {
  const auto time = parse_rfc3339(rfc3339);
  if (!time) return {};
  std::string fraction;
  if (const auto dot = rfc3339.find('.'); dot != std::string::npos)
    fraction = rfc3339.substr(dot + 1, rfc3339.find_first_not_of("0123456789", dot + 1) - dot - 1);
  fraction.resize(9, '0');
  return fmt::format("{}.{}", std::chrono::floor<std::chrono::seconds>(*time).time_since_epoch().count(),
                     fraction);
}

ports::Container parse_listed(const Json& json) {
  ports::Container container;
  container.id = text_at(json, "Id");
  if (const auto names = texts_at(json, "Names"); !names.empty())
    container.name = without_slash(names.front());
  container.image = text_at(json, "Image");
  container.image_id = text_at(json, "ImageID");
  container.labels = text_map_at(json, "Labels");
  container.state = text_at(json, "State");
  container.running = container.state == "running" || container.state == "paused";
  const auto words = text_at(json, "Status");
  container.exit_code = exit_code_in_words(words);
  container.health = health_in_words(words);
  if (const auto& ports = at(json, "Ports"); ports.is_array()) {
    for (const auto& port : ports) {
      if (const int published = int_at(port, "PublicPort"); published != 0)
        container.ports.try_emplace(int_at(port, "PrivatePort"),
                                    address_of(text_at(port, "IP"), std::to_string(published)));
    }
  }
  return container;
}

}  // namespace

Result<VersionAnswer> parse_version(std::string_view json) {
  SLIPWAY_ASSIGN(const Json answer, parse_json(json));
  VersionAnswer version{text_at(answer, "ApiVersion"), text_at(answer, "MinAPIVersion")};
  if (version.api.empty()) return malformed("ApiVersion");
  return version;
}

Result<InfoAnswer> parse_info(std::string_view json) {
  SLIPWAY_ASSIGN(const Json answer, parse_json(json));
  InfoAnswer parsed;
  auto& info = parsed.info;
  info.engine_id = text_at(answer, "ID");
  if (info.engine_id.empty()) return malformed("ID");
  info.version = text_at(answer, "ServerVersion");
  info.name = text_at(answer, "Name");
  info.architecture = text_at(answer, "Architecture");
  info.os = text_at(answer, "OperatingSystem");
  info.kernel = text_at(answer, "KernelVersion");
  info.storage_driver = text_at(answer, "Driver");
  info.root_dir = text_at(answer, "DockerRootDir");
  info.cgroup_version = text_at(answer, "CgroupVersion") == "2" ? 2 : 1;
  info.cpus = int_at(answer, "NCPU");
  info.memory = number_at(answer, "MemTotal");
  parsed.now = seconds_and_nanoseconds(text_at(answer, "SystemTime"));
  return parsed;
}

Result<ports::Container> parse_container(std::string_view json) {
  SLIPWAY_ASSIGN(const Json answer, parse_json(json));
  ports::Container container;
  container.id = text_at(answer, "Id");
  if (container.id.empty()) return malformed("Id");
  container.name = without_slash(text_at(answer, "Name"));
  container.image_id = text_at(answer, "Image");
  const auto& config = at(answer, "Config");
  container.image = text_at(config, "Image");
  container.labels = text_map_at(config, "Labels");
  const auto& state = at(answer, "State");
  container.state = text_at(state, "Status");
  // While it waits to be started again the engine says both.
  container.running = flag_at(state, "Running") && !flag_at(state, "Restarting");
  container.exit_code = int_at(state, "ExitCode");
  container.oom_killed = flag_at(state, "OOMKilled");
  container.error = escape_for_people(text_at(state, "Error"));
  container.started_at = text_at(state, "StartedAt");
  container.finished_at = text_at(state, "FinishedAt");
  container.health = parse_health(at(state, "Health"));
  container.health_log = last_health_output(at(state, "Health"));
  const auto& host = at(answer, "HostConfig");
  container.restart = parse_restart(at(host, "RestartPolicy"));
  container.limits = {number_at(host, "Memory"), number_at(host, "NanoCpus"), number_at(host, "PidsLimit")};
  container.restart_count = int_at(answer, "RestartCount");
  container.ports = parse_ports(at(at(answer, "NetworkSettings"), "Ports"));
  return container;
}

Result<std::vector<ports::Container>> parse_containers(std::string_view json) {
  SLIPWAY_ASSIGN(const Json answer, parse_json(json));
  if (!answer.is_array()) return malformed("list of containers");
  std::vector<ports::Container> containers;
  for (const auto& one : answer) containers.push_back(parse_listed(one));
  return containers;
}

Result<ports::Image> parse_image(std::string_view json) {
  SLIPWAY_ASSIGN(const Json answer, parse_json(json));
  ports::Image image;
  image.id = text_at(answer, "Id");
  if (image.id.empty()) return malformed("Id");
  image.tags = texts_at(answer, "RepoTags");
  const auto& config = at(answer, "Config");
  image.labels = text_map_at(config, "Labels");
  image.user = text_at(config, "User");
  image.entrypoint = texts_at(config, "Entrypoint");
  image.command = texts_at(config, "Cmd");
  if (const auto& exposed = at(config, "ExposedPorts"); exposed.is_object()) {
    for (const auto& [port, nothing] : exposed.items()) image.exposed.push_back(leading_number(port));
  }
  std::ranges::sort(image.exposed);
  return image;
}

Result<std::vector<std::string>> parse_image_ids(std::string_view json) {
  SLIPWAY_ASSIGN(const Json answer, parse_json(json));
  if (!answer.is_array()) return malformed("list of images");
  std::vector<std::pair<std::int64_t, std::string>> found;
  for (const auto& one : answer) found.emplace_back(number_at(one, "Created"), text_at(one, "Id"));
  std::ranges::stable_sort(found, std::greater{}, &std::pair<std::int64_t, std::string>::first);
  std::vector<std::string> ids;
  for (auto& [created, id] : found) ids.push_back(std::move(id));
  return ids;
}

Result<std::vector<ports::Volume>> parse_volumes(std::string_view json) {
  SLIPWAY_ASSIGN(const Json answer, parse_json(json));
  std::vector<ports::Volume> volumes;
  const auto& list = at(answer, "Volumes");
  if (list.is_null() && answer.is_object() && answer.contains("Volumes")) return volumes;  // none
  if (!list.is_array()) return malformed("Volumes");
  for (const auto& one : list) volumes.push_back({text_at(one, "Name"), text_map_at(one, "Labels")});
  return volumes;
}

Result<std::string> parse_id(std::string_view json) {
  SLIPWAY_ASSIGN(const Json answer, parse_json(json));
  auto id = text_at(answer, "Id");
  if (id.empty()) return malformed("Id");
  return id;
}

Result<std::optional<ports::EngineEvent>> parse_event(std::string_view line) {
  SLIPWAY_ASSIGN(const Json answer, parse_json(line));
  constexpr std::array kKnown{"create",        "start", "die",     "oom",   "stop",   "destroy",
                              "health_status", "kill",  "restart", "pause", "unpause"};
  const auto words = text_at(answer, "Action");  // "die", "health_status: healthy"
  const auto colon = words.find(':');
  ports::EngineEvent event;
  event.action = words.substr(0, colon);
  if (std::ranges::find(kKnown, event.action) == kKnown.end() || text_at(answer, "Type") != "container")
    return std::optional<ports::EngineEvent>{};
  if (colon != words.npos) event.health = words.substr(words.find_first_not_of(": ", colon));
  const auto& actor = at(answer, "Actor");
  event.container_id = text_at(actor, "ID");
  event.labels = text_map_at(actor, "Attributes");
  if (const auto code = event.labels.find("exitCode"); code != event.labels.end())
    event.exit_code = leading_number(code->second);
  event.at = from_ms(number_at(answer, "timeNano") / 1'000'000);
  return std::optional{std::move(event)};
}

Result<ExecState> parse_exec(std::string_view json) {
  SLIPWAY_ASSIGN(const Json answer, parse_json(json));
  ExecState state;
  state.running = flag_at(answer, "Running");
  if (at(answer, "ExitCode").is_number_integer()) state.exit_code = int_at(answer, "ExitCode");
  return state;
}

std::string parse_message(std::string_view body) {
  constexpr std::size_t kMost = 2000;
  std::string words;
  if (const auto json = parse_json(body)) words = text_at(*json, "message");
  if (words.empty()) words = body.substr(0, kMost);
  while (words.ends_with('\n') || words.ends_with('\r')) words.pop_back();
  return escape_for_people(std::string_view{words}.substr(0, kMost));
}

}  // namespace slipway::docker
