#pragma once

#include "gateway/router.hpp"
#include "gateway/world.hpp"

namespace slipway::gateway {

/// PUT sources/{path}: an archive into the Repository, as anybody else could put it there.
void add_source_routes(Router& router, World& world);

/// A path of the Repository: 1 to 8 parts of [A-Za-z0-9._+-], none of them "." or "..", at most 200
/// characters. kInvalid `source.path`.
Status check_source_path(std::string_view path);

}  // namespace slipway::gateway
