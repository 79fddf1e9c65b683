#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace slipway::archive {

/// A name from an archive as people may see it: everything but plain ASCII escaped.
std::string shown(std::string_view name);

/// "./a//b/" -> "a/b"; "." -> "". Refuses archive.path_escape (absolute, ".."), archive.path_chars (control
/// characters, backslash, colon, invalid UTF-8, a part over 255 bytes), archive.too_deep.
Result<std::string> clean_path(std::string_view raw, std::size_t depth);

/// A symbolic link at `path` (clean) may lead to `target` if it stays inside the root whatever other links
/// do:
/// "../" only at its start, and not more than `path` is deep. Else archive.link_escape or archive.path_chars.
Status check_link(std::string_view path, std::string_view target);

/// The same for two names that many file systems take for one: letter case and Unicode form (Latin) folded.
std::string folded(std::string_view path);

/// "a/b/c" -> "a", "a/b".
std::vector<std::string> parents_of(std::string_view path);

}  // namespace slipway::archive
