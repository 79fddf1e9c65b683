#include "messages/envelope.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/digest.hpp"
#include "base/text.hpp"
#include "messages/strict_json.hpp"

namespace slipway::messages {

std::string derived_request_id(const RecordPlace& place) {
  return "k-" + sha256_hex(fmt::format("{}\n{}\n{}\n{}\n{}", place.cluster_id, place.topic, place.partition,
                                       place.offset, place.timestamp_ms))
                    .substr(0, 24);
}

namespace {

bool is_id(std::string_view text, std::size_t most) {
  const auto alnum = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  };
  if (text.empty() || text.size() > most || !alnum(text.front())) return false;
  for (const char c : text)
    if (!alnum(c) && c != '.' && c != '_' && c != ':' && c != '-') return false;
  return true;
}

}  // namespace

bool is_request_id(std::string_view text) {
  return is_id(text, 64);
}
bool is_question_id(std::string_view text) {
  return is_id(text, 80);
}

void Envelope::check_key(const std::optional<std::string>& key, std::string_view owner,
                         std::string_view field) {
  if (!key || key->empty() || owner.empty() || *key == owner) return;
  problems.add("request.key", fmt::format("/{}", field),
               fmt::format("is \"{}\", but the record's key is \"{}\"", owner,
                           escape_for_people(std::string_view(*key).substr(0, 100))),
               "leave the key out, or make it the same");
}

Result<Envelope> open_request(std::string_view text, const RecordPlace& place,
                              bool (*is_well_formed)(std::string_view)) {
  SLIPWAY_ASSIGN(nlohmann::json value, parse_strict_json(text));
  if (!value.is_object()) return invalid("request.invalid", "a request is a JSON object, this is none");
  Envelope envelope;
  const auto id = value.find("request_id");
  if (id == value.end() || id->is_null()) {
    envelope.request_id = derived_request_id(place);
  } else if (id->is_string() && is_well_formed(id->get_ref<const std::string&>())) {
    envelope.request_id = id->get<std::string>();
  } else {
    Error error = invalid("request.id", "request_id must be 1 to 64 letters, digits, dots, _ : and -",
                          "leave it out, and one is made");
    error.where = "/request_id";
    return error;
  }
  envelope.value = std::make_shared<const nlohmann::json>(std::move(value));
  return envelope;
}

}  // namespace slipway::messages
