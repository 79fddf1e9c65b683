#include <nlohmann/json.hpp>

#include "gateway/openapi.hpp"
#include "gateway/problem.hpp"
#include "gateway/readers.hpp"
#include "gateway/status.hpp"
#include "meta_file/read.hpp"

namespace slipway::gateway {
namespace {

using nlohmann::json;

json check_of(std::string_view name, const std::optional<Error>& trouble) {
  json check = {{"name", name}, {"ok", !trouble}};
  if (trouble) {
    check["code"] = trouble->code;
    check["message"] = trouble->message;
  }
  return check;
}

ports::HttpReply ready(Watch& watch) {
  const Observed observed = watch.observe();
  ports::HttpReply reply = json_reply(
      {{"ready", !observed.kafka && !observed.repository},
       {"checks", {check_of("Kafka", observed.kafka), check_of("Repository", observed.repository)}}});
  if (observed.kafka || observed.repository) reply.status = 503;
  return reply;
}

ports::HttpReply status_reply(World& world, Watch& watch) {
  json status = make_status(watch.observe(), world.clock.now());
  status["version"] = world.settings.version;
  status["instance"] = world.settings.instance;
  return json_reply(status);
}

ports::HttpReply text_reply(std::string content_type, std::string_view text) {
  ports::HttpReply reply;
  reply.content_type = std::move(content_type);
  reply.body = text;
  return reply;
}

}  // namespace

void add_status_routes(Router& router, World& world, Watch& watch) {
  router.add("GET", "/api/v1/status",
             [&](const ports::HttpRequest&, const Params&) { return status_reply(world, watch); });
  router.add("GET", "/api/v1/systems", [&](const ports::HttpRequest&, const Params&) {
    return json_reply(make_status(watch.observe(), world.clock.now())["systems"]);
  });
  router.add("GET", "/healthz",
             [](const ports::HttpRequest&, const Params&) { return json_reply({{"ok", true}}); });
  router.add("GET", "/readyz", [&](const ports::HttpRequest&, const Params&) { return ready(watch); });
  router.add("GET", "/schemas/service.v1.json", [](const ports::HttpRequest&, const Params&) {
    return text_reply("application/schema+json", meta_file::schema_text());
  });
  router.add("GET", "/api/openapi.json",
             [](const ports::HttpRequest&, const Params&) -> Result<ports::HttpReply> {
               SLIPWAY_ASSIGN(const json document, openapi());
               return json_reply(document);
             });
}

}  // namespace slipway::gateway
