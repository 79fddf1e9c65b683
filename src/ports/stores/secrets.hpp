#pragma once

#include <string>

#include "base/clock.hpp"
#include "ports/stores/table.hpp"

namespace slipway::ports {

/// secrets (gateway): the newest value of each, sealed. What it replaced is gone.
struct Secret {
  std::string name;
  std::string version;  ///< another one for each value, never used again
  std::string sealed;   ///< by SecretBox under place()
  std::string key_id;   ///< of the key that sealed it
  std::string by;       ///< who set it, as they said
  WallTime updated_at{};
  std::string id() const { return name; }
  std::string place() const { return name + "@" + version; }
};

}  // namespace slipway::ports
