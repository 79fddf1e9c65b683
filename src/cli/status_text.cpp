#include "cli/status_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/text.hpp"
#include "cli/output.hpp"

namespace slipway::cli {
namespace {

using nlohmann::json;

constexpr std::size_t kBar = 8;

const json& list_of(const json& object, std::string_view field) {
  static const json kNone = json::array();
  if (!object.is_object()) return kNone;
  const auto found = object.find(field);
  return found != object.end() && found->is_array() ? *found : kNone;
}

double percent_of(double part, double whole) {
  return whole > 0 ? 100 * part / whole : 0;
}

std::string machines_text(const json& status, WallTime now, const StatusLook& look) {
  Table table({"MACHINE", "STATE", "CPU", "MEMORY", "DISK", "NETWORK", "LOAD", "LAST SEEN"});
  for (const json& machine : list_of(status, "machines")) {
    const json& usage = child(machine, "usage");
    std::string state = cell(machine, "state");
    if (const std::string cause = text_of(machine, "cause"); !cause.empty()) state += " (" + cause + ")";
    if (!usage.is_object()) {
      table.add({cell(machine, "name"), state, "-", "-", "-", "-", "-",
                 human_age(text_of(machine, "last_sample_at"), now)});
      continue;
    }
    const json& load = list_of(usage, "load");
    table.add({cell(machine, "name"), state, bar(number_of(usage, "cpu"), look.unicode),
               bar(percent_of(number_of(usage, "mem_used"), number_of(usage, "mem_total")), look.unicode),
               bar(percent_of(number_of(usage, "disk_used"), number_of(usage, "disk_total")), look.unicode),
               fmt::format("in {}/s out {}/s", human_bytes(number_of(usage, "rx_bps")),
                           human_bytes(number_of(usage, "tx_bps"))),
               load.empty() || !load[0].is_number() ? "-" : fmt::format("{:.2f}", load[0].get<double>()),
               human_age(text_of(machine, "last_sample_at"), now)});
  }
  return table.empty() ? "No machine yet: slipway machine add NAME --docker ENDPOINT\n" : table.render();
}

std::string joined(const json& list, const auto& text) {
  std::string all;
  for (const json& one : list) all += (all.empty() ? "" : ", ") + text(one);
  return all;
}

std::string services_text(const json& status, const StatusLook& look) {
  std::vector<std::string> head{"SERVICE", "RELEASE", "VERSION", "STATE", "HEALTH",
                                "MACHINE", "PORTS",   "SENSORS", "USAGE"};
  if (look.wide) head.insert(head.end(), {"CONTAINERS", "PATH"});
  Table table(head);
  for (const json& service : list_of(status, "services")) {
    double cpu = 0;
    double mem = 0;
    bool measured = false;
    for (const json& container : list_of(service, "containers")) {
      measured |= container.contains("mem");
      cpu += number_of(container, "cpu");
      mem += number_of(container, "mem");
    }
    std::vector<std::string> row{
        cell(service, "name"),
        cell(service, "release"),
        cell(service, "version"),
        cell(service, "state"),
        cell(service, "health"),
        cell(service, "machine"),
        joined(list_of(service, "ports"),
               [](const json& port) { return cell(port, "address") + "->" + cell(port, "target"); }),
        joined(list_of(service, "sensors"),
               [](const json& sensor) { return cell(sensor, "name") + " " + cell(sensor, "state"); }),
        measured ? fmt::format("{:.1f} % {}", cpu, human_bytes(mem)) : "-"};
    if (look.wide) {
      row.push_back(
          joined(list_of(service, "containers"), [](const json& one) { return cell(one, "name"); }));
      row.push_back(cell(service, "path"));
    }
    table.add(std::move(row));
  }
  return table.empty() ? "No service yet: slipway deploy FOLDER --machine NAME\n" : table.render();
}

std::string counted(std::size_t count, std::string_view what) {
  return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

std::string sentence(const json& status) {
  const json& problems = list_of(status, "problems");
  if (problems.empty())
    return fmt::format("All is well: {} and {}.\n", counted(list_of(status, "machines").size(), "machine"),
                       counted(list_of(status, "services").size(), "service"));
  std::string text = fmt::format("{} {} attention:\n", counted(problems.size(), "thing"),
                                 problems.size() == 1 ? "needs" : "need");
  for (const json& problem : problems)
    text +=
        "  - " + escape_for_people(problem.is_string() ? problem.get<std::string>() : problem.dump()) + "\n";
  return text;
}

json check(std::string name, bool ok, std::string detail) {
  return {{"name", std::move(name)}, {"ok", ok}, {"detail", std::move(detail)}};
}

}  // namespace

std::string bar(double percent, bool unicode) {
  const double bounded = std::clamp(percent, 0.0, 100.0);
  const auto full = static_cast<std::size_t>(bounded / 100 * kBar + 0.5);
  std::string text;
  for (std::size_t i = 0; i < kBar; ++i) text += i < full ? (unicode ? "▇" : "#") : (unicode ? "░" : ".");
  return fmt::format("{} {:3.0f} %", text, bounded);
}

std::string status_text(const json& status, WallTime now, const StatusLook& look) {
  Table systems({"SYSTEM", "STATE", ""});
  for (const json& system : list_of(status, "systems")) {
    const bool up = text_of(system, "state") == "up";
    systems.add(
        {cell(system, "name"), cell(system, "state"), up && !look.wide ? " " : cell(system, "detail")});
  }
  return machines_text(status, now, look) + "\n" + services_text(status, look) + "\n" + sentence(status) +
         "\n" + systems.render();
}

json doctor_checks(const json& status, const std::string& server) {
  json checks = json::array();
  checks.push_back(check("server", true, "answers at " + server + ", version " + cell(status, "version")));
  for (const json& system : list_of(status, "systems")) {
    const std::string state = text_of(system, "state");
    checks.push_back(check(text_of(system, "name"), state == "up" || state == "off",
                           state + ": " + text_of(system, "detail")));
  }
  for (const json& machine : list_of(status, "machines")) {
    std::string detail = text_of(machine, "state");
    if (const std::string cause = text_of(machine, "cause"); !cause.empty()) detail += ", cause: " + cause;
    if (const std::string error = text_of(machine, "engine_error"); !error.empty())
      detail += ", Engine: " + error;
    const bool ok = text_of(machine, "state") == "up" && text_of(machine, "engine_error").empty();
    checks.push_back(check("machine " + text_of(machine, "name"), ok, detail));
  }
  return checks;
}

std::string doctor_text(const json& checks, bool unicode) {
  std::string text;
  std::size_t bad = 0;
  for (const json& one : checks) {
    const bool ok = one["ok"].get<bool>();
    bad += ok ? 0 : 1;
    text += fmt::format("  {} {} {}\n", ok ? (unicode ? "✓" : "ok  ") : (unicode ? "✗" : "FAIL"),
                        fit(escape_for_people(one["name"].get<std::string>()), 28, unicode),
                        escape_for_people(one["detail"].get<std::string>()));
  }
  return text + (bad == 0 ? "All is well.\n" : counted(bad, "check") + " failed.\n");
}

}  // namespace slipway::cli
