#include "ports/stores/attempts.hpp"

#include "ports/stores/codec_parts.hpp"

namespace slipway::ports::codec {

template <>
json write(const Attempts& a) {
  return {{"place", a.place}, {"offset", a.offset}, {"count", a.count}};
}

template <>
void read(const Reader& from, Attempts& a) {
  a.place = from.text("place");
  a.offset = from.number("offset");
  a.count = from.small("count");
}

SLIPWAY_DOCUMENT(Attempts)

}  // namespace slipway::ports::codec
