#include "ports/stores/machines.hpp"

#include "ports/stores/codec_parts.hpp"

namespace slipway::ports::codec {
namespace {

json write_state(const messages::MachineStateReport& s) {
  return {{"machine", s.machine},
          {"state", messages::to_string(s.state)},
          {"cause", s.cause},
          {"since", date(s.since)},
          {"clock_offset_ms", s.clock_offset_ms},
          {"last_seq", s.last_seq},
          {"last_sample_at", date_or_null(s.last_sample_at)}};
}

messages::MachineStateReport read_state(const Reader& from) {
  messages::MachineStateReport s;
  s.machine = from.text("machine");
  using enum messages::MachineState;
  for (const auto state : {kUp, kSuspect, kDown})
    if (messages::to_string(state) == from.text("state")) s.state = state;
  s.cause = from.text("cause");
  s.since = from.date("since");
  s.clock_offset_ms = from.number("clock_offset_ms");
  s.last_seq = from.number("last_seq");
  s.last_sample_at = from.maybe_date("last_sample_at");
  return s;
}

}  // namespace

template <>
json write(const MachineDocument& document) {
  const messages::Machine& m = document.machine;
  return {{"name", m.name},
          {"docker", m.docker},
          {"tls", m.tls},
          {"labels", text_map(m.labels)},
          {"origin", m.origin},
          {"facts", text_map(m.facts)},
          {"engine_error", m.engine_error},
          {"cordoned", m.cordoned},
          {"removed", m.removed},
          {"registered_at", date(m.registered_at)},
          {"state", m.state ? write_state(*m.state) : json()}};
}

template <>
void read(const Reader& from, MachineDocument& document) {
  messages::Machine& m = document.machine;
  m.name = from.text("name");
  m.docker = from.text("docker");
  m.tls = from.text("tls");
  m.labels = from.text_map("labels");
  m.origin = from.text("origin");
  m.facts = from.text_map("facts");
  m.engine_error = from.text("engine_error");
  m.cordoned = from.flag("cordoned");
  m.removed = from.flag("removed");
  m.registered_at = from.date("registered_at");
  from.object("state", [&](const Reader& state) { m.state = read_state(state); });
}

SLIPWAY_DOCUMENT(MachineDocument)

}  // namespace slipway::ports::codec
