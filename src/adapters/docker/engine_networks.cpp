#include <fmt/format.h>

#include <algorithm>

#include "adapters/docker/answers.hpp"
#include "adapters/docker/docker_engine.hpp"
#include "adapters/docker/json_fields.hpp"

namespace slipway::docker {
namespace {

constexpr std::string_view kInstance = "slipway.instance";

bool is_the_engines_own(std::string_view name) {
  return name.empty() || name == "default" || name == "bridge" || name == "host" || name == "none";
}

std::string network_path(const std::string& name, std::string_view rest = {}) {
  return fmt::format("/networks/{}{}", http::percent_encode(name), rest);
}

// Ids of the networks of exactly this name, the oldest first: a name may come twice.
std::vector<std::string> ids_of(const Json& networks, const std::string& name) {
  std::vector<std::pair<std::string, std::string>> found;
  for (const auto& one : networks)
    if (text_at(one, "Name") == name) found.emplace_back(text_at(one, "Created"), text_at(one, "Id"));
  std::ranges::sort(found);
  std::vector<std::string> ids;
  for (auto& [created, id] : found) ids.push_back(std::move(id));
  return ids;
}

}  // namespace

// A bridge of our own instead of docker0, on which every container of the machine would be together.
Status DockerEngine::ensure_network(const std::string& name,
                                    const std::map<std::string, std::string>& labels) {
  if (is_the_engines_own(name)) return {};
  SLIPWAY_ASSIGN(const auto there, api_.call(make_request("GET", network_path(name))));
  if (there.status != 404) return expect_ok(there, "looking for the network " + name);
  Json own = Json::object();
  if (const auto instance = labels.find(std::string(kInstance)); instance != labels.end())
    own[std::string(kInstance)] = instance->second;
  SLIPWAY_ASSIGN(const auto made,
                 api_.call(make_request("POST", "/networks/create",
                                        dump({{"Name", name}, {"CheckDuplicate", true}, {"Labels", own}}))));
  if (made.status == 409) return {};  // somebody was faster
  SLIPWAY_TRY(expect_ok(made, "making the network " + name));
  // Not even CheckDuplicate keeps two that ask at once from making two: all but the oldest go.
  SLIPWAY_ASSIGN(const auto id, parse_id(made.body));
  SLIPWAY_ASSIGN(const auto all, api_.call(make_request(
                                     "GET", "/networks" + query({{"filters", dump({{"name", {name}}})}}))));
  SLIPWAY_TRY(expect_ok(all, "listing networks"));
  SLIPWAY_ASSIGN(const auto networks, parse_json(all.body));
  const auto ids = ids_of(networks, name);
  if (ids.size() < 2 || ids.front() == id) return {};
  SLIPWAY_ASSIGN(const auto gone, api_.call(make_request("DELETE", network_path(id))));
  return gone.status == 404 ? Status{} : expect_ok(gone, "removing a second network " + name);
}

// A stopped container remembers its network by id and cannot start any more once that was pruned, also where
// there is one of the same name again.
Status DockerEngine::rejoin_network(const std::string& id) {
  SLIPWAY_ASSIGN(const auto response, api_.call(make_request("GET", container_path(id, "/json"))));
  SLIPWAY_TRY(expect_ok(response, "inspecting the container"));
  SLIPWAY_ASSIGN(const auto container, parse_json(response.body));
  const auto name = text_at(at(container, "HostConfig"), "NetworkMode");
  if (is_the_engines_own(name)) return {};
  SLIPWAY_TRY(ensure_network(name, text_map_at(at(container, "Config"), "Labels")));
  SLIPWAY_ASSIGN(const auto left, api_.call(make_request("POST", network_path(name, "/disconnect"),
                                                         dump({{"Container", id}, {"Force", true}}))));
  SLIPWAY_TRY(expect_ok(left, "leaving a network that is gone"));
  SLIPWAY_ASSIGN(const auto joined,
                 api_.call(make_request("POST", network_path(name, "/connect"), dump({{"Container", id}}))));
  return expect_ok(joined, "joining the network " + name);
}

}  // namespace slipway::docker
