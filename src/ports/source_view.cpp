#include "ports/source_view.hpp"

namespace slipway {

meta_file::SourceView view_of(const Archives& archives, const Source& source) {
  return {.paths = source.file_paths(),
          .read = [&archives, &source](const std::string& path, std::size_t most) -> std::string {
            const SourceEntry* entry = source.find(path);
            if (entry == nullptr) return {};
            if (most <= entry->head.size()) return entry->head.substr(0, most);
            return archives.read_file(source.tar, path, most).value_or("");  // larger ones say nothing
          }};
}

}  // namespace slipway
