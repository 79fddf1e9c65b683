#include "ports/stores/samples.hpp"

#include <fmt/format.h>

namespace slipway::ports {

std::string minute_id(std::string_view machine, std::string_view container_id, std::int64_t minute) {
  return container_id.empty() ? fmt::format("{}/{}", machine, minute)
                              : fmt::format("{}/{}/{}", machine, container_id, minute);
}

std::string MinuteDocument::id() const {
  return minute_id(machine, container_id, minute);
}

}  // namespace slipway::ports
