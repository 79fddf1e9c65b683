#include "ports/stores/leases.hpp"

#include "ports/stores/codec_parts.hpp"

namespace slipway::ports::codec {

template <>
json write(const Lease& l) {
  return {{"holder", l.holder}, {"epoch", l.epoch}, {"beat", l.beat}};
}

template <>
void read(const Reader& from, Lease& l) {
  l.name = from.text("_id");
  l.holder = from.text("holder");
  l.epoch = from.number("epoch");
  l.beat = from.number("beat");
}

SLIPWAY_DOCUMENT(Lease)

}  // namespace slipway::ports::codec
