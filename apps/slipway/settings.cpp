#include "settings.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "base/text.hpp"
#include "meta_file/document.hpp"

namespace slipway {
namespace {

constexpr std::string_view kDefaultPath = "/etc/slipway/slipway.yaml";

// One setting as it was given, by file or environment.
struct Given {
  std::vector<std::string> values;
  bool is_list = false;
  std::string where;  // "slipway.yaml:3:1" or "$SLIPWAY_KAFKA_BROKERS"
};

Error wrong(const Given& given, const std::string& key, const std::string& what) {
  Error error = invalid("config.value", fmt::format("{}: {}", key, what));
  error.where = given.where;
  return error;
}

using Setter = std::function<Status(ServerSettings&, const Given&, const std::string& name)>;

Setter text(std::string ServerSettings::* field) {
  return [field](ServerSettings& settings, const Given& given, const std::string& key) -> Status {
    if (given.is_list || given.values.size() != 1) return wrong(given, key, "one value is wanted");
    settings.*field = given.values.front();
    return {};
  };
}

Setter needed_text(std::string ServerSettings::* field) {
  return [field](ServerSettings& settings, const Given& given, const std::string& key) -> Status {
    SLIPWAY_TRY(text(field)(settings, given, key));
    return (settings.*field).empty() ? Status{wrong(given, key, "must not be empty")} : Status{};
  };
}

Setter list(std::vector<std::string> ServerSettings::* field) {
  return [field](ServerSettings& settings, const Given& given, const std::string&) -> Status {
    settings.*field = given.values;
    return {};
  };
}

Setter duration(std::chrono::milliseconds ServerSettings::* field) {
  return [field](ServerSettings& settings, const Given& given, const std::string& key) -> Status {
    if (given.values.size() != 1) return wrong(given, key, "one duration is wanted");
    const auto value = parse_duration(given.values.front());
    if (!value || *value < std::chrono::milliseconds{100})
      return wrong(given, key, fmt::format("'{}' is no duration of at least 100ms", given.values.front()));
    settings.*field = *value;
    return {};
  };
}

// `prefix.*`: what stands for * is the key of the map.
Setter entry(std::map<std::string, std::string> ServerSettings::* field) {
  return [field](ServerSettings& settings, const Given& given, const std::string& name) -> Status {
    if (given.values.size() != 1) return wrong(given, name, "one value is wanted");
    (settings.*field)[name] = given.values.front();
    return {};
  };
}

Setter list_entry(std::map<std::string, std::vector<std::string>> ServerSettings::* field) {
  return [field](ServerSettings& settings, const Given& given, const std::string& name) -> Status {
    (settings.*field)[name] = given.values;
    return {};
  };
}

// The one table of settings. A `*` takes the rest of the key, dots included ("security.protocol").
const std::map<std::string, Setter>& table() {
  using S = ServerSettings;
  static const std::map<std::string, Setter> kTable{
      {"instance", needed_text(&S::instance)},
      {"state_dir", text(&S::state_dir)},
      {"roles", list(&S::roles)},
      {"log.level", needed_text(&S::log_level)},
      {"kafka.brokers", needed_text(&S::kafka_brokers)},
      {"kafka.machine_brokers", text(&S::kafka_machine_brokers)},
      {"kafka.topic_prefix", text(&S::topic_prefix)},
      {"kafka.properties.*", entry(&S::kafka_properties)},
      {"kafka.for_agents.*", entry(&S::kafka_for_agents)},
      {"kafka.for_services.*", entry(&S::kafka_for_services)},
      {"mongodb.uri", needed_text(&S::mongodb_uri)},
      {"mongodb.database", needed_text(&S::mongodb_database)},
      {"http.bind", needed_text(&S::http_bind)},
      {"credentials.dir", needed_text(&S::credentials_dir)},
      {"machines.insecure_networks", list(&S::insecure_networks)},
      {"machines.unix_sockets", list(&S::unix_sockets)},
      {"repository.allowed_roots", list(&S::allowed_roots)},
      {"agent.images_dir", needed_text(&S::agent_images_dir)},
      {"agent.interval", duration(&S::agent_interval)},
      {"runtimes.*.image", entry(&S::runtime_images)},
      {"runtimes.*.build_image", entry(&S::runtime_build_images)},
      {"runtimes.*.versions", list_entry(&S::runtime_versions)},
      {"build.ca_bundle", text(&S::ca_bundle_file)},
      {"build.deadline", duration(&S::build_deadline)},
      {"secrets.key_file", text(&S::secrets_key_file)},
      {"reconcile.period", duration(&S::reconcile_period)},
      {"reconcile.orphans_after", duration(&S::orphans_after)},
  };
  return kTable;
}

// The setter for a key, and what its `*` stands for (the whole key where there is none).
std::pair<const Setter*, std::string> find_setter(const std::string& key) {
  for (const auto& [pattern, setter] : table()) {
    const auto star = pattern.find('*');
    if (star == std::string::npos) {
      if (pattern == key) return {&setter, key};
      continue;
    }
    const std::string_view head = std::string_view(pattern).substr(0, star);
    const std::string_view tail = std::string_view(pattern).substr(star + 1);
    if (key.size() > head.size() + tail.size() && key.starts_with(head) && key.ends_with(tail))
      return {&setter, key.substr(head.size(), key.size() - head.size() - tail.size())};
  }
  return {nullptr, {}};
}

// A tree as flat keys: {"kafka": {"brokers": "x"}} is kafka.brokers.
void flatten(const meta_file::Document& document, const meta_file::Node& node, const std::string& prefix,
             std::vector<std::pair<std::string, Given>>& out) {
  for (const auto& child : node.entries) {
    const std::string key = prefix.empty() ? child.key : prefix + "." + child.key;
    if (child.value.is_map()) {
      flatten(document, child.value, key, out);
      continue;
    }
    Given given{.where = document.where(child.key_place)};
    given.is_list = child.value.is_sequence();
    if (child.value.is_scalar() && !child.value.is_null()) given.values = {child.value.text};
    if (child.value.is_scalar() && child.value.is_null()) given.values = {""};
    for (const auto& item : child.value.items) given.values.push_back(item.text);
    out.emplace_back(key, std::move(given));
  }
}

Status apply(ServerSettings& settings, const std::string& key, const Given& given) {
  const auto [setter, name] = find_setter(key);
  if (setter) return (*setter)(settings, given, name);
  const auto near = did_you_mean(key, known_settings());
  Error unknown =
      invalid("config.unknown_key", fmt::format("unknown setting '{}'", escape_for_people(key)),
              near ? fmt::format("did you mean '{}'?", *near) : "docs/running.md lists the settings");
  unknown.where = given.where;
  return unknown;
}

// SLIPWAY_KAFKA_BROKERS -> kafka.brokers. Only settings without a `*` can be given so.
Status apply_environment(ServerSettings& settings, const std::map<std::string, std::string>& environment) {
  for (const auto& key : known_settings()) {
    if (key.find('*') != std::string::npos) continue;
    std::string variable = "SLIPWAY_" + key;
    std::ranges::transform(variable, variable.begin(), [](unsigned char c) {
      return c == '.' ? '_' : static_cast<char>(std::toupper(c));
    });
    const auto found = environment.find(variable);
    if (found == environment.end()) continue;
    SLIPWAY_TRY(apply(settings, key,
                      {.values = split(found->second, ','), .is_list = false, .where = "$" + variable}));
  }
  return {};
}

Status check(const ServerSettings& settings) {
  static const std::vector<std::string> kLevels{"debug", "info", "warn", "error"};
  if (std::ranges::find(kLevels, settings.log_level) == kLevels.end())
    return invalid("config.value",
                   fmt::format("log.level '{}' is none of debug, info, warn, error", settings.log_level));
  const auto good = [](unsigned char c) { return std::islower(c) || std::isdigit(c) || c == '-'; };
  if (settings.instance.size() > 40 || !std::ranges::all_of(settings.instance, good))
    return invalid("config.value", "instance: at most 40 of a-z, 0-9 and -");
  for (const auto& [runtime, image] : settings.runtime_build_images)
    if (runtime != "node" && runtime != "cpp")
      return invalid("config.value",
                     fmt::format("runtimes.{}.build_image: only node and cpp have one", runtime));
  return {};
}

}  // namespace

std::vector<std::string> known_settings() {
  std::vector<std::string> keys;
  for (const auto& [key, setter] : table()) keys.push_back(key);
  return keys;
}

Result<ServerSettings> parse_settings(const std::string& file_name, const std::string& text,
                                      const std::map<std::string, std::string>& environment) {
  ServerSettings settings;
  if (!text.empty()) {
    SLIPWAY_ASSIGN(const auto document, meta_file::Document::parse(file_name, text));
    if (!document.root().is_map())
      return invalid("config.type", fmt::format("{} is no map of settings", file_name));
    std::vector<std::pair<std::string, Given>> given;
    flatten(document, document.root(), "", given);
    for (const auto& [key, value] : given) SLIPWAY_TRY(apply(settings, key, value));
  }
  SLIPWAY_TRY(apply_environment(settings, environment));
  if (settings.kafka_machine_brokers.empty()) settings.kafka_machine_brokers = settings.kafka_brokers;
  SLIPWAY_TRY(check(settings));
  return settings;
}

Result<ServerSettings> load_settings(const std::string& path,
                                     const std::map<std::string, std::string>& environment) {
  const std::string file = path.empty() ? std::string(kDefaultPath) : path;
  std::ifstream in(file);
  if (!in && !path.empty())
    return not_found("config.not_found", fmt::format("cannot read the settings file {}", path));
  std::ostringstream text;
  if (in) text << in.rdbuf();
  return parse_settings(file, text.str(), environment);
}

}  // namespace slipway
