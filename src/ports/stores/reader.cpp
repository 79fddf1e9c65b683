#include "ports/stores/reader.hpp"

#include "ports/stores/codec.hpp"

namespace slipway::ports::codec {
namespace {

const nlohmann::json kNull;

}  // namespace

const nlohmann::json& Reader::at(const char* key) const {
  const auto found = object_.find(key);
  return found == object_.end() ? kNull : *found;
}

void Reader::wrong(const char* key, const char* wanted) const {
  if (problem_.empty()) problem_ = std::string("field '") + key + "' is not " + wanted;
}

bool Reader::flag(const char* key) const {
  const auto& value = at(key);
  if (value.is_boolean()) return value.get<bool>();
  if (!value.is_null()) wrong(key, "true or false");
  return false;
}

std::optional<std::string> Reader::maybe_text(const char* key) const {
  const auto& value = at(key);
  if (value.is_string()) return value.get<std::string>();
  if (!value.is_null()) wrong(key, "a text");
  return std::nullopt;
}

std::optional<std::int64_t> Reader::maybe_number(const char* key) const {
  const auto& value = at(key);
  if (value.is_number_integer()) return value.get<std::int64_t>();
  if (!value.is_null()) wrong(key, "a whole number");
  return std::nullopt;
}

std::optional<double> Reader::maybe_real(const char* key) const {
  const auto& value = at(key);
  if (value.is_number()) return value.get<double>();
  if (!value.is_null()) wrong(key, "a number");
  return std::nullopt;
}

std::optional<WallTime> Reader::maybe_date(const char* key) const {
  const auto& value = at(key);
  if (value.is_null()) return std::nullopt;
  if (value.is_object() && value.size() == 1)
    if (const auto ms = value.find("$date"); ms != value.end() && ms->is_number_integer())
      return from_ms(ms->get<std::int64_t>());
  wrong(key, "a date");
  return std::nullopt;
}

std::vector<std::string> Reader::texts(const char* key) const {
  std::vector<std::string> found;
  const auto& value = at(key);
  if (value.is_null()) return found;
  if (!value.is_array()) return wrong(key, "a list"), found;
  for (const auto& item : value) {
    if (!item.is_string()) return wrong(key, "a list of texts"), found;
    found.push_back(item.get<std::string>());
  }
  return found;
}

std::map<std::string, std::string> Reader::text_map(const char* key) const {
  std::map<std::string, std::string> found;
  const auto& value = at(key);
  if (value.is_null()) return found;
  if (!value.is_object()) return wrong(key, "an object"), found;
  for (const auto& [name, text] : value.items()) {
    if (!text.is_string()) return wrong(key, "an object of texts"), found;
    found.emplace(unescape_key(name), text.get<std::string>());
  }
  return found;
}

std::string Reader::bytes(const char* key) const {
  const auto& value = at(key);
  if (value.is_null()) return {};
  if (!value.is_binary()) return wrong(key, "binary"), std::string();
  const auto& binary = value.get_binary();
  return {reinterpret_cast<const char*>(binary.data()), binary.size()};
}

}  // namespace slipway::ports::codec
