#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "messages/parsed.hpp"

namespace slipway::messages {

enum class MachineState { kUp, kSuspect, kDown, kUnknown };
std::string_view to_string(MachineState state);

/// What Heart Beat Manager says of a machine (topic machine.state).
struct MachineStateReport {
  std::string machine;
  MachineState state = MachineState::kUnknown;
  std::string cause;  ///< machine agent engine link broker clock, or empty
  WallTime since{};
  std::int64_t clock_offset_ms = 0;
  std::int64_t last_seq = 0;
  std::optional<WallTime> last_sample_at;
};

/// One machine (topic machine.registry, collection machines). Credentials by name only, never keys.
struct Machine {
  std::string name;
  std::string docker;  ///< unix:///..., tcp://host:port
  std::string tls;     ///< name of credentials, or empty
  std::map<std::string, std::string> labels;
  std::string origin = "person";  ///< "person", or "request": registered on the way of a deployment
  std::map<std::string, std::string> facts;  ///< engine, api, arch, cgroup, cpus, memory ...
  std::string engine_error;                  ///< of the last check, or empty
  bool cordoned = false;
  bool removed = false;  ///< the last word in the compacted registry before its tombstone
  WallTime registered_at{};
  std::optional<MachineStateReport> state;
};

enum class MachineAction { kAdd, kLabel, kCordon, kUncordon, kDrain, kRemove };
std::string_view to_string(MachineAction action);

struct MachineRequest {
  std::string request_id;
  MachineAction action = MachineAction::kAdd;
  std::string machine;
  std::string docker;
  std::string tls;
  std::map<std::string, std::string> labels;
  std::string origin = "person";
  std::string requested_by;
  std::string correlation_id;
};

struct MachineReply {
  std::string request_id;
  std::string machine;
  bool unchanged = false;
  std::optional<Machine> registered;
  std::optional<Error> error;
  std::string correlation_id;
};

/// cordon, uncordon and drain are refused as `request.not_yet` in this release.
Result<Parsed<MachineRequest>> parse_machine_request(std::string_view json,
                                                     const std::optional<std::string>& key,
                                                     const RecordPlace& place);
std::string to_json(const MachineRequest& request);
Result<MachineReply> parse_machine_reply(std::string_view json);
std::string to_json(const MachineReply& reply);
Result<Machine> parse_machine(std::string_view json);
std::string to_json(const Machine& machine);
Result<MachineStateReport> parse_machine_state(std::string_view json);
std::string to_json(const MachineStateReport& report);

}  // namespace slipway::messages
