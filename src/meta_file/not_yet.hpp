#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "meta_file/problems.hpp"

namespace slipway::meta_file {

/// A key of the schema that nothing acts on yet, or acts on for some values only.
struct NotYet {
  std::string_view path;                    ///< "update.order"
  std::vector<std::string_view> but_for{};  ///< values that are acted on; empty: the key is refused
  std::string_view hint{};
};

/// The one table of what a valid file may say and this release does not do. Whoever implements a row removes
/// it.
std::span<const NotYet> not_yet_table();

/// What to use instead of a runtime without a recipe.
inline constexpr std::string_view kOtherRuntimes =
    "use python, node, cpp, binary, an image, or your own Dockerfile (build.dockerfile)";

/// A meta.not_yet for each use of a row: a valid key is never ignored.
void refuse_not_yet(const Node& root, Problems& problems);

}  // namespace slipway::meta_file
