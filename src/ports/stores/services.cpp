#include "ports/stores/services.hpp"

#include "ports/stores/codec_parts.hpp"

namespace slipway::ports::codec {

template <>
json write(const Service& s) {
  return {{"service_id", s.service_id},
          {"state", s.state},
          {"serving", or_null(s.serving)},
          {"version", s.version},
          {"path", s.path},
          {"machine", s.machine},
          {"last_request", s.last_request},
          {"last_error", s.last_error},
          {"since", date(s.since)}};
}

template <>
void read(const Reader& from, Service& s) {
  s.service_id = from.text("service_id");
  s.state = from.text("state");
  s.serving = from.maybe_number("serving");
  s.version = from.text("version");
  s.path = from.text("path");
  s.machine = from.text("machine");
  s.last_request = from.text("last_request");
  s.last_error = from.text("last_error");
  s.since = from.date("since");
}

template <>
json write(const ServiceHistory& h) {
  return {{"service_id", h.service_id}, {"request_id", h.request_id}, {"event", h.event},
          {"state", h.state},           {"message", h.message},       {"release", or_null(h.release)},
          {"at", date(h.at)},           {"entry_id", h.entry_id}};
}

template <>
void read(const Reader& from, ServiceHistory& h) {
  h.entry_id = from.text("entry_id");
  h.service_id = from.text("service_id");
  h.request_id = from.text("request_id");
  h.event = from.text("event");
  h.state = from.text("state");
  h.message = from.text("message");
  h.release = from.maybe_number("release");
  h.at = from.date("at");
}

SLIPWAY_DOCUMENT(Service)
SLIPWAY_DOCUMENT(ServiceHistory)

}  // namespace slipway::ports::codec
