#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/log.hpp"
#include "base/secret_box.hpp"
#include "messages/topics.hpp"
#include "ports/bus.hpp"
#include "ports/engine.hpp"
#include "ports/http.hpp"
#include "ports/repository.hpp"

namespace slipway::gateway {

struct GatewaySettings {
  std::string version;                     ///< of this program, shown in status
  std::string instance = "default";        ///< the instance label of our containers
  milliseconds reply_deadline{15'000};     ///< how long a request waits for its system's reply
  std::uint64_t upload_limit = 128 << 20;  ///< bytes of a source archive
  milliseconds look_interval{2'000};       ///< how often the systems are looked at
  milliseconds second_look{5'000};         ///< of a check: what was wrong before is looked at again
  std::optional<SecretBox> secret_box;     ///< seals secrets; none: none can be set
};

/// The gateway (role `gateway`): HTTP API and event stream. It reads; everything that changes becomes a
/// request message to the system that owns the thing (sources go into the Repository). Answers from its
/// constructor to its destructor, on the server's threads; all arguments must outlive it.
class Gateway {
 public:
  Gateway(ports::HttpServer& server, ports::Bus& bus, ports::Repository& repository, ports::Engines& engines,
          Clock& clock, const Log& log, messages::Topics topics, GatewaySettings settings = {});
  ~Gateway();
  Gateway(const Gateway&) = delete;  // handlers hold its address
  Gateway& operator=(const Gateway&) = delete;
  /// "GET /api/v1/services" ...: what contracts/openapi.yaml must describe.
  std::vector<std::string> routes() const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace slipway::gateway
