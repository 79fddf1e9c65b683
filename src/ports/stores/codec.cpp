#include "ports/stores/codec.hpp"

#include "ports/stores/codec_parts.hpp"

namespace slipway::ports::codec {
namespace {

template <class Change>
json change_keys(const json& value, Change change) {
  if (value.is_array()) {
    json list = json::array();
    for (const auto& item : value) list.push_back(change_keys(item, change));
    return list;
  }
  if (!value.is_object()) return value;
  json object = json::object();
  for (const auto& [key, member] : value.items()) object[change(key)] = change_keys(member, change);
  return object;
}

}  // namespace

json date(WallTime time) {
  return {{"$date", to_ms(time)}};
}

std::string escape_key(std::string_view key) {
  std::string escaped;
  for (const char c : key) {
    if (c == '%')
      escaped += "%25";
    else if (c == '.')
      escaped += "%2E";
    else if (c == '$')
      escaped += "%24";
    else if (c == '\0')
      escaped += "%00";
    else
      escaped += c;
  }
  return escaped;
}

std::string unescape_key(std::string_view key) {
  std::string plain;
  for (std::size_t i = 0; i < key.size(); ++i) {
    plain += key[i];
    if (key[i] != '%' || i + 2 >= key.size()) continue;
    for (const char c : {'%', '.', '$', '\0'})
      if (key.substr(i, 3) == escape_key({&c, 1})) {
        plain.back() = c;
        i += 2;
        break;
      }
  }
  return plain;
}

json escape_keys(const json& value) {
  return change_keys(value, escape_key);
}

json unescape_keys(const json& value) {
  return change_keys(value, unescape_key);
}

json date_or_null(const std::optional<WallTime>& time) {
  return time ? date(*time) : json();
}

json text_map(const std::map<std::string, std::string>& texts) {
  json object = json::object();
  for (const auto& [name, text] : texts) object[escape_key(name)] = text;
  return object;
}

json write_topics(const std::map<std::string, messages::BoundTopic>& topics) {
  json object = json::object();
  for (const auto& [name, topic] : topics)
    object[escape_key(name)] = {{"topic", topic.topic},
                                {"sensor_id", topic.sensor_id},
                                {"key", topic.key},
                                {"last_reading_at", date_or_null(topic.last_reading_at)}};
  return object;
}

void read_topics(const Reader& from, std::map<std::string, messages::BoundTopic>& topics) {
  from.each_member("topics", [&](const std::string& name, const Reader& topic) {
    topics[name] = {topic.text("topic"), topic.text("sensor_id"), topic.text("key"),
                    topic.maybe_date("last_reading_at")};
  });
}

Error corrupt(const json& document, const std::string& problem) {
  if (!document.is_object())
    return {ErrorKind::kCorrupt, "repository.corrupt", "a stored document is no object"};
  const auto id = document.find("_id");
  return {ErrorKind::kCorrupt, "repository.corrupt",
          "stored document " + (id == document.end() ? "?" : id->dump()) + ": " + problem};
}

}  // namespace slipway::ports::codec
