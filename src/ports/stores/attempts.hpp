#pragma once

#include <cstdint>
#include <string>

#include "ports/stores/table.hpp"

namespace slipway::ports {

/// attempts (Deployment Manager): the record of a partition that was begun last, and how often: one that ends
/// the process each time must not do so for ever.
struct Attempts {
  std::string place;  ///< "<topic>/<partition>"
  std::int64_t offset = 0;
  int count = 0;
  std::string id() const { return place; }
};

}  // namespace slipway::ports
