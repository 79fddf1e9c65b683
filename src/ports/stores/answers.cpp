#include "ports/stores/answers.hpp"

#include "ports/stores/codec_parts.hpp"

namespace slipway::ports::codec {

template <>
json write(const Answer& a) {
  return {{"request_id", a.request_id}, {"digest", a.digest},
          {"topic", a.topic},           {"key", a.key},
          {"reply", a.reply},           {"expires_at", date(a.expires_at)}};
}

template <>
void read(const Reader& from, Answer& a) {
  a.request_id = from.text("request_id");
  a.digest = from.text("digest");
  a.topic = from.text("topic");
  a.key = from.text("key");
  a.reply = from.text("reply");
  a.expires_at = from.date("expires_at");
}

SLIPWAY_DOCUMENT(Answer)

}  // namespace slipway::ports::codec
