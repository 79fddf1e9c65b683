#include "ports/stores/secrets.hpp"

#include "ports/stores/codec_parts.hpp"

namespace slipway::ports::codec {

template <>
json write(const Secret& s) {
  return {{"name", s.name},
          {"version", s.version},
          {"sealed", json::binary(std::vector<std::uint8_t>(s.sealed.begin(), s.sealed.end()))},
          {"key_id", s.key_id},
          {"by", s.by},
          {"updated_at", date(s.updated_at)}};
}

template <>
void read(const Reader& from, Secret& s) {
  s.name = from.text("name");
  s.version = from.text("version");
  s.sealed = from.bytes("sealed");
  s.key_id = from.text("key_id");
  s.by = from.text("by");
  s.updated_at = from.date("updated_at");
}

SLIPWAY_DOCUMENT(Secret)

}  // namespace slipway::ports::codec
