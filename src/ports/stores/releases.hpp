#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "messages/sensor.hpp"
#include "ports/stores/table.hpp"

namespace slipway::ports {

/// releases (Deployment Manager): one immutable document per release. Indexed: service_id.
struct Release {
  std::string service_id;
  std::int64_t number = 0;
  std::string request_id;  ///< that made it
  std::string key;         ///< source digest + meta + env + limits + image key + topics bound, hashed
  std::string path;
  std::string version;  ///< the user's label
  std::string source_digest;
  std::string spec;        ///< ServiceSpec as canonical JSON
  std::string dockerfile;  ///< empty for a prebuilt image
  std::string image_key;
  std::string image;  ///< tag: slipway/<service>:<12 of the key>, or the prebuilt image
  std::int64_t binding = 0;
  std::map<std::string, messages::BoundTopic> topics;
  std::map<std::string, std::string> secrets;  ///< name -> version, of those that it needs
  std::string machine;
  WallTime created_at{};
  std::string id() const;  ///< "<service>@<number, six digits>"
};

/// instances (Deployment Manager): what runs where. Indexed: service_id, machine, container_id.
struct Instance {
  std::string service_id;
  std::int64_t release = 0;
  int replica = 1;
  std::string machine;
  std::string container_id, container_name;
  std::string state;                 ///< starting, running, stopped, completed, failed
  std::string health;                ///< healthy, unhealthy, starting, none
  std::map<int, std::string> ports;  ///< container port -> "127.0.0.1:49153"
  WallTime since{};
  std::string id() const;  ///< "<service>-<release>-<replica>@<machine>"
};

/// failures (Deployment Manager): the failure package, kept after the container is gone. Indexed: service_id.
struct Failure {
  std::string request_id, service_id, machine, container_id;
  std::int64_t release = 0;
  std::string stage;
  Error error;
  std::optional<int> exit_code;
  bool oom_killed = false;
  std::vector<std::string> last_logs;  ///< at most 1,000 lines
  std::string health_output, dockerfile, spec;
  std::map<std::string, messages::BoundTopic> topics;
  WallTime at{};
  std::string id() const { return request_id; }
};

}  // namespace slipway::ports
