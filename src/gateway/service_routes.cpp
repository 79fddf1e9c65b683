#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/text.hpp"
#include "gateway/problem.hpp"
#include "gateway/readers.hpp"
#include "gateway/status.hpp"
#include "gateway/views.hpp"

namespace slipway::gateway {
namespace {

using nlohmann::json;

constexpr std::size_t kMostReleases = 20;
constexpr std::size_t kMostHistory = 50;
constexpr std::size_t kMostDeployments = 100;

/// "no service 'boler'" with the nearest name there is.
Error no_service(const std::string& name, const Documents& documents) {
  std::vector<std::string> names;
  for (const ports::Service& service : documents.services) names.push_back(service.service_id);
  const auto near = did_you_mean(name, names);
  return not_found("service.not_found", "there is no service '" + escape_for_people(name) + "'",
                   near ? "did you mean '" + *near + "'?" : "slipway status lists them");
}

template <class T>
Result<json> views_of(const Result<std::vector<T>>& documents) {
  if (!documents) return of_repository(documents.error());
  json all = json::array();
  for (const T& document : *documents) all.push_back(view(document));
  return all;
}

Result<ports::HttpReply> list_services(World& world, Watch& watch) {
  const Observed observed = watch.observe();
  if (observed.repository) return *observed.repository;
  return json_reply(make_status(observed, world.clock.now())["services"]);
}

Result<ports::HttpReply> show_service(World& world, Watch& watch, const std::string& name) {
  const Observed observed = watch.observe();
  if (observed.repository) return *observed.repository;
  json found;
  const json services = make_status(observed, world.clock.now())["services"];
  for (const json& service : services)
    if (service["name"] == name) found = service;
  if (found.is_null()) {
    const auto removed = std::ranges::find(observed.documents.services, name, &ports::Service::service_id);
    if (removed == observed.documents.services.end()) return no_service(name, observed.documents);
    found = view(*removed);
  }
  SLIPWAY_ASSIGN(json releases,
                 views_of(world.repository.releases().where("service_id", name, kMostReleases)));
  found["dockerfile"] = nullptr;
  for (const json& release : releases) {
    if (release["number"] != found["release"]) continue;
    for (const char* key : {"dockerfile", "path", "version", "image", "spec", "source_digest"})
      found[key] = release[key];
  }
  for (json& release : releases) {
    release.erase("spec");
    release.erase("dockerfile");
  }
  found["releases"] = std::move(releases);
  SLIPWAY_ASSIGN(found["instances"], views_of(world.repository.instances().where("service_id", name, 50)));
  SLIPWAY_ASSIGN(found["history"],
                 views_of(world.repository.service_history().where("service_id", name, kMostHistory)));
  SLIPWAY_ASSIGN(found["failures"], views_of(world.repository.failures().where("service_id", name, 1)));
  const auto binding = world.repository.bindings().find(name);
  if (!binding) return of_repository(binding.error());
  found["binding"] = *binding ? view(**binding) : json(nullptr);
  return json_reply(found);
}

Result<ports::HttpReply> list_deployments(World& world, const ports::HttpRequest& request) {
  const auto service = request.query.find("service");
  SLIPWAY_ASSIGN(const json all,
                 views_of(world.repository.deployments().latest(
                     service == request.query.end() ? "" : service->second, kMostDeployments)));
  return json_reply(all);
}

Result<ports::HttpReply> show_deployment(World& world, const std::string& id) {
  const auto found = world.repository.deployments().find(id);
  if (!found) return of_repository(found.error());
  if (!*found)
    return not_found("deployment.not_found", "there is no deployment '" + escape_for_people(id) + "'");
  json value = view(**found);
  const auto failure = world.repository.failures().find(id);
  if (!failure) return of_repository(failure.error());
  value["failure"] = *failure ? view(**failure) : json(nullptr);
  return json_reply(value);
}

}  // namespace

void add_service_routes(Router& router, World& world, Watch& watch) {
  router.add("GET", "/api/v1/services",
             [&](const ports::HttpRequest&, const Params&) { return list_services(world, watch); });
  router.add("GET", "/api/v1/services/{service}", [&](const ports::HttpRequest&, const Params& params) {
    return show_service(world, watch, params.at("service"));
  });
  router.add("GET", "/api/v1/deployments", [&](const ports::HttpRequest& request, const Params&) {
    return list_deployments(world, request);
  });
  router.add("GET", "/api/v1/deployments/{deployment}", [&](const ports::HttpRequest&, const Params& params) {
    return show_deployment(world, params.at("deployment"));
  });
}

}  // namespace slipway::gateway
