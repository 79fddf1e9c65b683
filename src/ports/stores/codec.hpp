#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/result.hpp"

// Documents as JSON, the way they lie in the Repository. Three things are not plain JSON:
//   dates        {"$date": <ms since the epoch>}: become BSON dates
//   bytes        nlohmann's binary values: become BSON binary
//   user's words as field names (label keys, sensor names): '%', '.' and '$' in them are percent-escaped, so
//   that they neither become operators nor paths.
namespace slipway::ports::codec {

nlohmann::json date(WallTime time);

/// A name as a field name, and back.
std::string escape_key(std::string_view key);
std::string unescape_key(std::string_view key);
/// All keys of a JSON value that others made.
nlohmann::json escape_keys(const nlohmann::json& value);
nlohmann::json unescape_keys(const nlohmann::json& value);

/// The document with its `_id`. T: every document of this folder but minutes and sources.
template <class T>
nlohmann::json to_document(const T& value);
/// kCorrupt, naming the field, if a field is missing or of another type.
template <class T>
Result<T> from_document(const nlohmann::json& document);

}  // namespace slipway::ports::codec
