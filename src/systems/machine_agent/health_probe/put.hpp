#pragma once

#include <optional>
#include <string>

#include <sys/types.h>

#include "base/result.hpp"

namespace slipway::health_probe {

struct PutOptions {
  std::string path;
  mode_t mode = 0444;
  std::optional<std::pair<uid_t, gid_t>> owner;
};

/// Replaces the file by all that can be read from `input`, 16 MiB at most: a reader sees the old or the new
/// content, never a part, also after a crash of the machine. On failure the old file is untouched.
Status put_file(const PutOptions& options, int input);

}  // namespace slipway::health_probe
