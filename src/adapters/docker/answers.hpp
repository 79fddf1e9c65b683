#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "ports/container.hpp"

// What an engine's JSON says, in our words. Pure; kCorrupt engine.malformed for what is no such answer.
// Fields that a newer or older engine leaves out are empty.
namespace slipway::docker {

struct VersionAnswer {
  std::string api, min_api;
};
Result<VersionAnswer> parse_version(std::string_view json);

struct InfoAnswer {
  ports::EngineInfo info;  ///< but for api_version
  std::string now;  ///< the engine's clock as its events take it: "<seconds>.<nanoseconds>"; empty: unknown
};
Result<InfoAnswer> parse_info(std::string_view json);

Result<ports::Container> parse_container(std::string_view json);
/// Of a list: exit code and health are read from the words that it shows to people; no error, restart policy,
/// times.
Result<std::vector<ports::Container>> parse_containers(std::string_view json);
Result<ports::Image> parse_image(std::string_view json);
/// The ids of an image list, newest first.
Result<std::vector<std::string>> parse_image_ids(std::string_view json);
Result<std::vector<ports::Volume>> parse_volumes(std::string_view json);
/// The field "Id" of what was made.
Result<std::string> parse_id(std::string_view json);
/// Nothing for an event that is none of a container's life.
Result<std::optional<ports::EngineEvent>> parse_event(std::string_view line);

struct ExecState {
  bool running = false;
  std::optional<int> exit_code;
};
Result<ExecState> parse_exec(std::string_view json);

/// The engine's own words in the body of a refusal, escaped for people.
std::string parse_message(std::string_view body);

}  // namespace slipway::docker
