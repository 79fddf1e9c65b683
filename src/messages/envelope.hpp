#pragma once

#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "messages/fields.hpp"
#include "messages/parsed.hpp"

namespace slipway::messages {

/// A request that is JSON and has an id, so that its sender can be answered.
struct Envelope {
  std::shared_ptr<const nlohmann::json> value;  ///< shared with nobody; keeps json.hpp out of this header
  std::string request_id;
  Problems problems;

  Fields fields() { return Fields(*value, "", problems); }
  /// A record's key must be empty or say the same as the value.
  void check_key(const std::optional<std::string>& key, std::string_view owner, std::string_view field);
};

/// Errors, all for the dead-letter topic: those of parse_strict_json, request.invalid (no object), request.id
/// (malformed). A missing id is derived from the record's place.
Result<Envelope> open_request(std::string_view json, const RecordPlace& place,
                              bool (*is_well_formed)(std::string_view) = is_question_id);

}  // namespace slipway::messages
