#pragma once

#include <memory>

#include "ports/source_archive.hpp"

namespace slipway::archive {

/// Archives by libarchive.
std::unique_ptr<Archives> make_archives();

}  // namespace slipway::archive
