#include "systems/machine_agent/settings.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "systems/machine_agent/probes/scan.hpp"

namespace slipway::machine_agent {
namespace {

using nlohmann::json;

constexpr milliseconds kShortest{100}, kLongest{60'000};

Error bad(const std::string& problem) {
  return invalid("agent.settings", "agent.json: " + problem);
}

Status read_text(const json& object, const char* name, std::string& into) {
  const auto found = object.find(name);
  if (found == object.end()) return {};
  if (!found->is_string()) return bad(fmt::format("\"{}\" must be text", name));
  into = found->get<std::string>();
  return {};
}

Status read_filesystems(const json& object, std::vector<WatchedFilesystem>& into) {
  const auto found = object.find("filesystems");
  if (found == object.end()) return {};
  if (!found->is_array()) return bad("\"filesystems\" must be a list");
  for (const auto& entry : *found) {
    std::string mount, path;
    if (!entry.is_object()) return bad("an entry of \"filesystems\" must be an object");
    SLIPWAY_TRY(read_text(entry, "mount", mount));
    SLIPWAY_TRY(read_text(entry, "path", path));
    if (mount.empty() || path.empty()) return bad("an entry of \"filesystems\" needs \"mount\" and \"path\"");
    into.push_back({mount, path});
  }
  return {};
}

std::string_view trimmed(std::string_view text) {
  const auto begin = text.find_first_not_of(" \t\r");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r") - begin + 1);
}

}  // namespace

Result<Settings> parse_settings(std::string_view text) {
  const auto object = json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!object.is_object()) return bad("is no JSON object");
  Settings settings;
  SLIPWAY_TRY(read_text(object, "machine", settings.machine));
  SLIPWAY_TRY(read_text(object, "topic", settings.topic));
  SLIPWAY_TRY(read_text(object, "config", settings.config));
  SLIPWAY_TRY(read_filesystems(object, settings.filesystems));
  if (settings.machine.empty()) return bad("\"machine\" is missing");
  if (settings.topic.empty()) return bad("\"topic\" is empty");
  if (const auto interval = object.find("interval_ms"); interval != object.end()) {
    if (!interval->is_number_integer()) return bad("\"interval_ms\" must be a whole number");
    settings.interval = milliseconds{interval->get<std::int64_t>()};
  }
  if (settings.interval < kShortest || settings.interval > kLongest)
    return bad(fmt::format("\"interval_ms\" must be from {} to {}", kShortest.count(), kLongest.count()));
  return settings;
}

Result<std::vector<std::pair<std::string, std::string>>> parse_properties(std::string_view text) {
  std::vector<std::pair<std::string, std::string>> properties;
  Scan lines{text};
  int number = 0;
  while (const auto raw = lines.line()) {
    ++number;
    const auto line = trimmed(*raw);
    if (line.empty() || line.starts_with('#')) continue;
    const auto equals = line.find('=');
    const auto name = trimmed(line.substr(0, equals));
    if (equals == std::string_view::npos || name.empty())  // the line itself may hold a password
      return invalid("agent.properties",
                     fmt::format("kafka.properties:{}: not of the form name=value", number));
    properties.emplace_back(name, trimmed(line.substr(equals + 1)));
  }
  return properties;
}

}  // namespace slipway::machine_agent
