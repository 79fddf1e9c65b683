#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"

namespace slipway::ports::codec {

/// Reads the fields of one stored document; a field of a wrong type is noted, not thrown, and told by
/// `problem()`. Missing fields are the type's empty value: fields are only ever added. Only for .cpp files of
/// the codec.
class Reader {
 public:
  Reader(const nlohmann::json& object, std::string& problem) : object_(object), problem_(problem) {}

  std::string text(const char* key) const { return maybe_text(key).value_or(""); }
  std::int64_t number(const char* key) const { return maybe_number(key).value_or(0); }
  int small(const char* key) const { return static_cast<int>(number(key)); }
  double real(const char* key) const { return maybe_real(key).value_or(0); }
  bool flag(const char* key) const;
  WallTime date(const char* key) const { return maybe_date(key).value_or(WallTime{}); }
  std::optional<std::string> maybe_text(const char* key) const;
  std::optional<std::int64_t> maybe_number(const char* key) const;
  std::optional<double> maybe_real(const char* key) const;
  std::optional<WallTime> maybe_date(const char* key) const;
  std::vector<std::string> texts(const char* key) const;
  /// Object of texts, keys unescaped.
  std::map<std::string, std::string> text_map(const char* key) const;
  /// Bytes of a binary field.
  std::string bytes(const char* key) const;
  /// The value, or null.
  const nlohmann::json& at(const char* key) const;

  /// Calls body(Reader) for an object, if there is one.
  template <class Body>
  void object(const char* key, Body body) const {
    const auto& value = at(key);
    if (value.is_null()) return;
    if (!value.is_object()) return wrong(key, "an object");
    body(Reader(value, problem_));
  }
  /// Calls body(unescaped name, Reader) for each member of an object of objects.
  template <class Body>
  void each_member(const char* key, Body body) const;
  /// Calls body(Reader) for each object in a list.
  template <class Body>
  void each(const char* key, Body body) const {
    const auto& value = at(key);
    if (value.is_null()) return;
    if (!value.is_array()) return wrong(key, "a list");
    for (const auto& item : value) {
      if (!item.is_object()) return wrong(key, "a list of objects");
      body(Reader(item, problem_));
    }
  }
  void wrong(const char* key, const char* wanted) const;
  const nlohmann::json& value() const { return object_; }

 private:
  const nlohmann::json& object_;
  std::string& problem_;
};

std::string unescape_key(std::string_view key);

template <class Body>
void Reader::each_member(const char* key, Body body) const {
  const auto& value = at(key);
  if (value.is_null()) return;
  if (!value.is_object()) return wrong(key, "an object");
  for (const auto& [name, member] : value.items()) {
    if (!member.is_object()) return wrong(key, "an object of objects");
    body(unescape_key(name), Reader(member, problem_));
  }
}

}  // namespace slipway::ports::codec
