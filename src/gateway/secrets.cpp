#include "gateway/secrets.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/ids.hpp"
#include "base/text.hpp"
#include "base/time_text.hpp"
#include "gateway/problem.hpp"

namespace slipway::gateway {
namespace {

using nlohmann::json;

constexpr std::uint64_t kMostBytes = 64 * 1024;
constexpr std::size_t kMostName = 256;

Status check_name(const std::string& name) {
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  const auto good = [&](char c) { return letter(c) || (c >= '0' && c <= '9'); };
  if (!name.empty() && name.size() <= kMostName && letter(name[0]) && std::ranges::all_of(name, good))
    return {};
  return invalid("secret.name",
                 "not a name of a secret: '" + escape_for_people(name.substr(0, kMostName)) + "'",
                 "letters, digits and _, no digit first, such as MQTT_PASSWORD");
}

Result<SecretBox> box_of(const World& world) {
  if (world.settings.secret_box) return *world.settings.secret_box;
  return denied("secret.no_key", "this server has no key for secrets",
                "set secrets.key_file and start it again");
}

json view(const ports::Secret& secret, const World& world) {
  const auto& box = world.settings.secret_box;
  return {{"name", secret.name},
          {"version", secret.version},
          {"updated_at", to_rfc3339(secret.updated_at)},
          {"by", secret.by},
          {"readable", box && box->key_id() == secret.key_id}};
}

Result<ports::HttpReply> put_secret(World& world, const ports::HttpRequest& request,
                                    const std::string& name) {
  SLIPWAY_TRY(check_name(name));
  SLIPWAY_ASSIGN(const auto box, box_of(world));
  if (request.body.empty()) return invalid("secret.empty", "the body must be the value of the secret");
  const auto before = world.repository.secrets().find(name);
  if (!before) return of_repository(before.error());
  if (const auto& old = *before) {
    const auto value = box.open(old->sealed, old->place());
    if (value && *value == request.body) {
      json same = view(*old, world);
      same["unchanged"] = true;
      return json_reply(same);
    }
  }
  const auto by = request.query.find("by");
  ports::Secret secret{.name = name,
                       .version = make_id("v-", world.clock.now()),
                       .sealed = {},
                       .key_id = box.key_id(),
                       .by = by == request.query.end() ? "" : by->second.substr(0, 128),
                       .updated_at = world.clock.now()};
  SLIPWAY_ASSIGN(secret.sealed, box.seal(request.body, secret.place()));
  if (const auto stored = world.repository.secrets().put(secret); !stored)
    return of_repository(stored.error());
  world.log.info("a secret was set", {{"name", name}, {"version", secret.version}});
  return json_reply(view(secret, world));
}

Result<ports::HttpReply> list_secrets(World& world) {
  const auto secrets = world.repository.secrets().all();
  if (!secrets) return of_repository(secrets.error());
  json all = json::array();
  for (const auto& secret : *secrets) all.push_back(view(secret, world));
  return json_reply(all);
}

Result<ports::HttpReply> remove_secret(World& world, const std::string& name) {
  SLIPWAY_TRY(check_name(name));
  const auto before = world.repository.secrets().find(name);
  if (!before) return of_repository(before.error());
  if (!*before)
    return not_found("secret.not_found", "there is no secret '" + name + "'", "slipway secret ls lists them");
  if (const auto removed = world.repository.secrets().remove(name); !removed)
    return of_repository(removed.error());
  world.log.info("a secret was removed", {{"name", name}});
  return json_reply({{"name", name}, {"removed", true}});
}

}  // namespace

void add_secret_routes(Router& router, World& world) {
  router.add("GET", "/api/v1/secrets",
             [&world](const ports::HttpRequest&, const Params&) { return list_secrets(world); });
  router.add(
      "PUT", "/api/v1/secrets/{secret}",
      [&world](const ports::HttpRequest& request, const Params& params) {
        return put_secret(world, request, params.at("secret"));
      },
      kMostBytes);
  router.add("DELETE", "/api/v1/secrets/{secret}", [&world](const ports::HttpRequest&, const Params& params) {
    return remove_secret(world, params.at("secret"));
  });
}

}  // namespace slipway::gateway
