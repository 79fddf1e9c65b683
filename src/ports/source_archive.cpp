#include "ports/source_archive.hpp"

#include <algorithm>

namespace slipway {

const SourceEntry* Source::find(std::string_view path) const {
  const auto found = std::ranges::lower_bound(entries, path, {}, &SourceEntry::path);
  return found == entries.end() || found->path != path ? nullptr : &*found;
}

std::vector<std::string> Source::file_paths() const {
  std::vector<std::string> paths;
  for (const auto& entry : entries)
    if (entry.kind == SourceEntry::Kind::kFile) paths.push_back(entry.path);
  return paths;
}

}  // namespace slipway
