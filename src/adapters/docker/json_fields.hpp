#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

// Reading an engine's JSON without trusting it: a field that is missing or of another type reads as empty.
// Only for the .cpp files of this folder.
namespace slipway::docker {

using Json = nlohmann::json;

/// An object (or array) of a bounded depth, or engine.malformed.
inline Result<Json> parse_json(std::string_view text) {
  constexpr int kDepth = 64;
  bool deep = false;
  const auto limit = [&deep](int depth, Json::parse_event_t, Json&) {
    deep = deep || depth > kDepth;
    return depth <= kDepth;
  };
  auto json = Json::parse(text, limit, false);
  if (deep || !json.is_structured())
    return Error{ErrorKind::kCorrupt, "engine.malformed",
                 "the engine's answer is not the JSON that was expected"};
  return json;
}

/// The member `key` of an object; null where there is none.
inline const Json& at(const Json& object, std::string_view key) {
  static const Json kNull;
  if (!object.is_object()) return kNull;
  const auto found = object.find(key);
  return found == object.end() ? kNull : *found;
}

inline std::string text_at(const Json& object, std::string_view key) {
  const auto& value = at(object, key);
  return value.is_string() ? value.get<std::string>() : std::string{};
}

inline bool flag_at(const Json& object, std::string_view key) {
  const auto& value = at(object, key);
  return value.is_boolean() && value.get<bool>();
}

inline std::int64_t number_at(const Json& object, std::string_view key) {
  const auto& value = at(object, key);
  if (value.is_number_unsigned() && value.get<std::uint64_t>() > INT64_MAX) return 0;
  return value.is_number_integer() ? value.get<std::int64_t>() : 0;
}

inline int int_at(const Json& object, std::string_view key) {
  const auto number = number_at(object, key);
  return number >= INT32_MIN && number <= INT32_MAX ? static_cast<int>(number) : 0;
}

inline std::vector<std::string> texts_at(const Json& object, std::string_view key) {
  std::vector<std::string> texts;
  if (const auto& list = at(object, key); list.is_array()) {
    for (const auto& one : list) {
      if (one.is_string()) texts.push_back(one.get<std::string>());
    }
  }
  return texts;
}

inline std::map<std::string, std::string> text_map_at(const Json& object, std::string_view key) {
  std::map<std::string, std::string> texts;
  if (const auto& map = at(object, key); map.is_object()) {
    for (const auto& [name, value] : map.items()) {
      if (value.is_string()) texts[name] = value.get<std::string>();
    }
  }
  return texts;
}

/// For sending: bytes that are no UTF-8 are replaced, never thrown over.
inline std::string dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace slipway::docker
