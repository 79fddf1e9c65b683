#include "ports/stores/lane.hpp"

#include "ports/stores/codec_parts.hpp"

namespace slipway::ports {

std::string_view to_string(Wanted wanted) {
  switch (wanted) {
    case Wanted::kRunning:
      return "running";
    case Wanted::kCompleted:
      return "completed";
    case Wanted::kStopped:
      return "stopped";
    case Wanted::kRemoved:
      return "removed";
  }
  return "removed";
}

std::optional<Wanted> parse_wanted(std::string_view text) {
  for (const Wanted wanted : {Wanted::kRunning, Wanted::kCompleted, Wanted::kStopped, Wanted::kRemoved})
    if (to_string(wanted) == text) return wanted;
  return std::nullopt;
}

}  // namespace slipway::ports

namespace slipway::ports::codec {

template <>
json write(const Lane& l) {
  return {{"service_id", l.service_id},
          {"active", or_null(l.active)},
          {"queue", l.queue},
          {"epoch", l.epoch},
          {"owner", l.owner},
          {"lease", l.lease},
          {"cancel", or_null(l.cancel)},
          {"cut_over", or_null(l.cut_over)},
          {"committed", or_null(l.committed)},
          {"previous", or_null(l.previous)},
          {"wanted", to_string(l.wanted)},
          {"machines", l.machines},
          {"last_release", l.last_release},
          {"last_release_for", or_null(l.last_release_for)},
          {"last_accepted", l.last_accepted}};
}

template <>
void read(const Reader& from, Lane& l) {
  l.service_id = from.text("_id");
  l.active = from.maybe_text("active");
  l.queue = from.texts("queue");
  l.epoch = from.number("epoch");
  l.owner = from.text("owner");
  l.lease = from.number("lease");
  l.cancel = from.maybe_text("cancel");
  l.cut_over = from.maybe_text("cut_over");
  l.committed = from.maybe_number("committed");
  l.previous = from.maybe_number("previous");
  if (const auto wanted = parse_wanted(from.text("wanted")))
    l.wanted = *wanted;
  else
    from.wrong("wanted", "running, completed, stopped or removed");
  l.machines = from.texts("machines");
  l.last_release = from.number("last_release");
  l.last_release_for = from.maybe_text("last_release_for");
  l.last_accepted = from.number("last_accepted");
}

SLIPWAY_DOCUMENT(Lane)

}  // namespace slipway::ports::codec
