#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "messages/parsed.hpp"

namespace slipway::messages {

/// Where a sensor is, or is wanted. "a/b" is {site: a, room: b}.
struct Location {
  std::string site, room;
  std::optional<double> lat, lon, alt;
  bool operator==(const Location&) const = default;
};

/// One sensor that a service asks for, as in its meta file.
struct SensorNeed {
  std::string name;
  std::string type;
  std::optional<Location> location;
  std::string rate;                           ///< "12/min", or empty
  std::map<std::string, std::string> fields;  ///< field -> UCUM unit
  bool required = false;
  bool operator==(const SensorNeed&) const = default;
};

/// A registered sensor. `simulated` ones are published by the Sensor Manager until removed.
struct Sensor {
  std::string sensor_id;
  std::string type;
  std::optional<Location> location;
  std::string topic;  ///< default: sensor.<type>.<id>
  std::string rate;
  std::map<std::string, std::string> fields;
  bool simulated = false;
  double simulated_per_second = 0;  ///< 0: as `rate` says, else 1
  WallTime registered_at{};
  bool operator==(const Sensor&) const = default;
};

enum class SensorAction { kBind, kAdd, kRemove, kSimulate };
std::string_view to_string(SensorAction action);

struct SensorRequest {
  std::string request_id;
  SensorAction action = SensorAction::kBind;
  std::string service_id;           ///< of a bind
  std::vector<SensorNeed> sensors;  ///< of a bind
  std::optional<Sensor> sensor;     ///< of add, simulate; of remove only its id
  std::string requested_by;
  std::string correlation_id;
};

struct BoundTopic {
  std::string topic;
  std::string sensor_id;
  std::string key;
  std::optional<WallTime> last_reading_at;
  bool operator==(const BoundTopic&) const = default;
};

struct SensorReply {
  std::string request_id;
  std::string service_id;
  std::string sensor_id;  ///< of add, remove, simulate
  std::int64_t binding = 0;
  std::map<std::string, BoundTopic> topics;    ///< name in the meta file -> topic; complete or partial
  std::map<std::string, std::string> missing;  ///< name -> why, with the nearest candidates
  std::optional<Error> error;
  std::string correlation_id;
};

Result<Parsed<SensorRequest>> parse_sensor_request(std::string_view json,
                                                   const std::optional<std::string>& key,
                                                   const RecordPlace& place);
std::string to_json(const SensorRequest& request);
Result<SensorReply> parse_sensor_reply(std::string_view json);
std::string to_json(const SensorReply& reply);

/// "12/min" -> messages per second; invalid if it is none.
Result<double> per_second(std::string_view rate);

}  // namespace slipway::messages
