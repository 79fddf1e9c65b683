#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/result.hpp"

namespace slipway::messages {

/// started, died, oom, health, drift, engine_lost, engine_back
struct ServiceEvent {
  std::string event;
  std::string machine;
  std::string service_id;  ///< empty for engine_lost and engine_back
  std::optional<std::int64_t> release;
  int replica = 0;
  std::string container_id;
  WallTime at{};
  std::optional<int> exit_code;
  std::string health;  ///< of `health`: healthy, unhealthy, starting
  std::string message;
};

std::string to_json(const ServiceEvent& event);
Result<ServiceEvent> parse_service_event(std::string_view json);

/// Lines of a build (topic deployment.output); may be lost.
struct BuildOutput {
  std::string request_id, service_id, machine;
  WallTime at{};
  std::string text;
};
std::string to_json(const BuildOutput& output);
Result<BuildOutput> parse_build_output(std::string_view json);

/// The Life Cycle Manager's answer to a wish (topic service.replies).
struct ServiceReply {
  std::string request_id, service_id;
  bool accepted = false;
  std::optional<Error> error;
  std::string correlation_id;
};
std::string to_json(const ServiceReply& reply);
Result<ServiceReply> parse_service_reply(std::string_view json);

}  // namespace slipway::messages
