#include "ports/stores/placements.hpp"

#include "ports/stores/codec_parts.hpp"

namespace slipway::ports::codec {

template <>
json write(const Placement& p) {
  return {{"request_id", p.request_id}, {"service_id", p.service_id},     {"machine", p.machine},
          {"reason", p.reason},         {"refused", text_map(p.refused)}, {"at", date(p.at)}};
}

template <>
void read(const Reader& from, Placement& p) {
  p.request_id = from.text("request_id");
  p.service_id = from.text("service_id");
  p.machine = from.text("machine");
  p.reason = from.text("reason");
  p.refused = from.text_map("refused");
  p.at = from.date("at");
}

SLIPWAY_DOCUMENT(Placement)

}  // namespace slipway::ports::codec
