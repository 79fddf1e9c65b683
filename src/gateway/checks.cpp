#include "gateway/checks.hpp"

#include <nlohmann/json.hpp>

#include "base/time_text.hpp"
#include "check/check.hpp"
#include "gateway/problem.hpp"

namespace slipway::gateway {
namespace {

using nlohmann::json;

constexpr std::size_t kMostShown = 500;

json view(const check::Report& report) {
  json findings = json::array();
  for (const auto& finding : report.findings) {
    if (findings.size() == kMostShown) break;
    findings.push_back(
        {{"code", finding.code}, {"where", finding.where}, {"what", finding.what}, {"fix", finding.fix}});
  }
  return {{"ok", report.findings.empty()},
          {"at", to_rfc3339(report.at)},
          {"looked_at",
           {{"services", report.services},
            {"deployments", report.deployments},
            {"machines", report.machines},
            {"containers", report.containers},
            {"messages", report.messages}}},
          {"found", report.findings.size()},
          {"findings", std::move(findings)}};
}

Error of_peer(const Error& error) {
  return error.code.starts_with("kafka.") ? of_kafka(error) : of_repository(error);
}

}  // namespace

void Checks::add_route(Router& router) {
  router.add("GET", "/api/v1/check", [this](const ports::HttpRequest&, const Params&) { return answer(); });
}

Result<ports::HttpReply> Checks::answer() {
  const std::unique_lock lock(one_at_a_time_, std::try_to_lock);
  if (!lock)
    return conflict("check.busy", "the world is being checked for somebody else", "try again in a minute");
  const auto report = check::check({.repository = world_.repository,
                                    .bus = world_.bus,
                                    .engines = world_.engines,
                                    .clock = world_.clock,
                                    .topics = world_.topics,
                                    .instance = world_.settings.instance},
                                   world_.settings.second_look, stop_.get_token());
  if (report) return json_reply(view(*report));
  if (stop_.stop_requested()) return unavailable("server.stopping", "the server stops");
  return of_peer(report.error());
}

}  // namespace slipway::gateway
