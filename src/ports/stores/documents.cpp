#include "ports/stores/documents.hpp"

#include <fmt/format.h>

#include "ports/stores/lane.hpp"
#include "ports/stores/samples.hpp"

namespace slipway::ports {

std::string Release::id() const {
  return fmt::format("{}@{:06}", service_id, number);
}

std::string Instance::id() const {
  return fmt::format("{}-{}-{}@{}", service_id, release, replica, machine);
}

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

std::string minute_id(std::string_view machine, std::string_view container_id, std::int64_t minute) {
  return container_id.empty() ? fmt::format("{}/{}", machine, minute)
                              : fmt::format("{}/{}/{}", machine, container_id, minute);
}

std::string MinuteDocument::id() const {
  return minute_id(machine, container_id, minute);
}

}  // namespace slipway::ports
