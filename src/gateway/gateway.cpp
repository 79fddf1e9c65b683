#include "gateway/gateway.hpp"

#include <utility>

#include "gateway/checks.hpp"
#include "gateway/events.hpp"
#include "gateway/logs.hpp"
#include "gateway/readers.hpp"
#include "gateway/replies.hpp"
#include "gateway/requests.hpp"
#include "gateway/router.hpp"
#include "gateway/secrets.hpp"
#include "gateway/sources.hpp"
#include "gateway/watch.hpp"
#include "gateway/world.hpp"

namespace slipway::gateway {

struct Gateway::Parts {
  Parts(ports::HttpServer& http_server, World the_world)
      : server(http_server),
        world(std::move(the_world)),
        watch(world),
        replies(world),
        events(world),
        logs(world),
        checks(world) {
    add_status_routes(router, world, watch);
    add_request_routes(router, world, replies);
    add_service_routes(router, world, watch);
    logs.add_route(router);
    checks.add_route(router);
    add_machine_routes(router, world, watch);
    add_source_routes(router, world);
    add_secret_routes(router, world);
    events.add_route(router);
    server.start(router);
  }
  ~Parts() {
    // Whoever waits is answered, so that the server need not wait for the deadline.
    replies.stop();
    checks.stop();
    server.stop();
  }
  Parts(const Parts&) = delete;  // parts hold addresses of each other
  Parts& operator=(const Parts&) = delete;

  ports::HttpServer& server;
  World world;
  Router router;
  Watch watch;
  Replies replies;
  Events events;
  Logs logs;
  Checks checks;
};

Gateway::Gateway(ports::HttpServer& server, ports::Bus& bus, ports::Repository& repository,
                 ports::Engines& engines, Clock& clock, const Log& log, messages::Topics topics,
                 GatewaySettings settings)
    : parts_(std::make_unique<Parts>(server, World{bus, repository, engines, clock, log.named("gateway"),
                                                   std::move(topics), std::move(settings)})) {}

Gateway::~Gateway() = default;

std::vector<std::string> Gateway::routes() const {
  return parts_->router.routes();
}

}  // namespace slipway::gateway
