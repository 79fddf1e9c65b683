#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/archive/ignore_file.hpp"
#include "ports/source_archive.hpp"

namespace slipway::archive {

inline constexpr std::size_t kLongestIgnoreFile = 64 * 1024;

enum class Fate {
  kKept,
  kIgnored,  ///< by .dockerignore, or because nobody misses it (caches)
  kLeftOut,  ///< version control and what looks like a secret, unless .dockerignore takes it back (`!ca.pem`)
};
/// What becomes of a file or folder. The meta file and Dockerfiles are always kept.
Fate fate_of(std::string_view path, const IgnoreRules& rules);

/// Files, folders and links of a source while they come in, in any order; every path is made clean and
/// checked. finish() turns them into the canonical form. For one source, one thread.
class SourceTree {
 public:
  explicit SourceTree(const ArchiveLimits& limits) : limits_(limits) {}

  Status add_file(std::string_view path, std::string bytes, std::uint32_t mode);
  Status add_folder(std::string_view path);
  Status add_link(std::string_view path, std::string_view target);
  /// A second name of a file that came before: archive.hardlink if there is none.
  Status add_hard_link(std::string_view path, std::string_view target);
  void warn(std::string code, std::string_view path, std::string message);
  /// archive.too_large if a file of `size` bytes would be too much; asked before its bytes are read.
  Status room_for(std::string_view path, std::uint64_t size) const;

  /// Checks the whole, strips a single top folder, applies .dockerignore, writes the tar. Ends this tree.
  Result<Source> finish();

 private:
  struct Item {
    SourceEntry::Kind kind = SourceEntry::Kind::kFile;
    std::string bytes;
    std::string target;
    bool executable = false;
  };
  using Items = std::map<std::string, Item>;

  Status add(std::string_view raw, Item&& item);
  void strip_top_folder();
  bool has_meta_in(const std::string& folder) const;
  Status check_tree() const;
  Status check_way_to(const std::string& path) const;
  Status take_meta(Source& source) const;
  Status leave_out();
  void write(Source& source);

  ArchiveLimits limits_;
  Items items_;
  std::size_t count_ = 0;
  std::uint64_t bytes_ = 0;
  std::vector<Error> warnings_;
};

}  // namespace slipway::archive
