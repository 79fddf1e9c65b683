#include "adapters/repository/bson.hpp"

#include <nlohmann/json.hpp>

#include "base/text.hpp"

namespace slipway::repository {
namespace {

using nlohmann::json;

void append_object(bson_t* out, const json& object);

void append(bson_t* out, std::string_view key, const json& value) {
  const int length = static_cast<int>(key.size());
  const char* name = key.data();
  switch (value.type()) {
    case json::value_t::object: {
      if (value.size() == 1)
        if (const auto ms = value.find("$date"); ms != value.end() && ms->is_number_integer()) {
          bson_append_date_time(out, name, length, ms->get<std::int64_t>());
          return;
        }
      bson_t child;
      bson_append_document_begin(out, name, length, &child);
      append_object(&child, value);
      bson_append_document_end(out, &child);
      return;
    }
    case json::value_t::array: {
      bson_t child;
      bson_append_array_begin(out, name, length, &child);
      for (std::size_t i = 0; i < value.size(); ++i) append(&child, std::to_string(i), value[i]);
      bson_append_array_end(out, &child);
      return;
    }
    case json::value_t::string: {
      const auto& text = value.get_ref<const std::string&>();
      if (find_invalid_utf8(text)) {
        const std::string repaired = escape_for_people(text);
        bson_append_utf8(out, name, length, repaired.data(), static_cast<int>(repaired.size()));
      } else {
        bson_append_utf8(out, name, length, text.data(), static_cast<int>(text.size()));
      }
      return;
    }
    case json::value_t::boolean:
      bson_append_bool(out, name, length, value.get<bool>());
      return;
    case json::value_t::number_integer:
    case json::value_t::number_unsigned:
      bson_append_int64(out, name, length, value.get<std::int64_t>());
      return;
    case json::value_t::number_float:
      bson_append_double(out, name, length, value.get<double>());
      return;
    case json::value_t::binary: {
      const auto& bytes = value.get_binary();
      bson_append_binary(out, name, length, BSON_SUBTYPE_BINARY, bytes.data(),
                         static_cast<std::uint32_t>(bytes.size()));
      return;
    }
    case json::value_t::null:
    case json::value_t::discarded:
      bson_append_null(out, name, length);
  }
}

void append_object(bson_t* out, const json& object) {
  for (const auto& [key, value] : object.items()) append(out, key, value);
}

json read_value(const bson_iter_t& at);

json read_all(bson_iter_t* iter, bool array) {
  json found = array ? json::array() : json::object();
  while (bson_iter_next(iter)) {
    if (array)
      found.push_back(read_value(*iter));
    else
      found[bson_iter_key(iter)] = read_value(*iter);
  }
  return found;
}

json read_value(const bson_iter_t& at) {
  std::uint32_t length = 0;
  switch (bson_iter_type(&at)) {
    case BSON_TYPE_DOUBLE:
      return bson_iter_double(&at);
    case BSON_TYPE_UTF8: {
      const char* text = bson_iter_utf8(&at, &length);
      return std::string(text, length);
    }
    case BSON_TYPE_DOCUMENT:
    case BSON_TYPE_ARRAY: {
      bson_iter_t child;
      if (!bson_iter_recurse(&at, &child)) return nullptr;
      return read_all(&child, bson_iter_type(&at) == BSON_TYPE_ARRAY);
    }
    case BSON_TYPE_BINARY: {
      const std::uint8_t* bytes = nullptr;
      bson_iter_binary(&at, nullptr, &length, &bytes);
      return json::binary(std::vector<std::uint8_t>(bytes, bytes + length));
    }
    case BSON_TYPE_OID: {
      char hex[25];
      bson_oid_to_string(bson_iter_oid(&at), hex);
      return hex;
    }
    case BSON_TYPE_BOOL:
      return bson_iter_bool(&at);
    case BSON_TYPE_DATE_TIME:
      return {{"$date", bson_iter_date_time(&at)}};
    case BSON_TYPE_INT32:
      return static_cast<std::int64_t>(bson_iter_int32(&at));
    case BSON_TYPE_INT64:
      return bson_iter_int64(&at);
    default:
      return nullptr;  // types that no document of ours has
  }
}

}  // namespace

Bson::Bson(const json& object) : Bson() {
  append_object(bson_, object);
}

json to_json(const bson_t& document) {
  bson_iter_t iter;
  return bson_iter_init(&iter, &document) ? read_all(&iter, false) : json::object();
}

}  // namespace slipway::repository
