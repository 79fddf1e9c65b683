#include "adapters/archive/archives.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <system_error>

#include "adapters/archive/byte_sources.hpp"
#include "adapters/archive/paths.hpp"
#include "adapters/archive/source_tree.hpp"
#include "adapters/archive/tar_format.hpp"

namespace slipway::archive {
namespace {

namespace fs = std::filesystem;

// Compressed bytes that no source of the allowed size can need.
constexpr std::uint64_t kMostOverhead = 64ULL << 20;

Error at(std::string_view path, Error error) {
  error.where = shown(path);
  return error;
}

Status take(TarReader& reader, const TarItem& item, SourceTree& tree) {
  if (item.has_attributes) tree.warn("archive.attributes", item.path, "extended attributes are dropped");
  switch (item.kind) {
    case TarItem::Kind::kFile: {
      SLIPWAY_TRY(tree.room_for(item.path, item.size));
      SLIPWAY_ASSIGN(std::string bytes, reader.data());
      return tree.add_file(item.path, std::move(bytes), item.mode);
    }
    case TarItem::Kind::kFolder:
      return tree.add_folder(item.path);
    case TarItem::Kind::kLink:
      return tree.add_link(item.path, item.target);
    case TarItem::Kind::kHardLink:
      return tree.add_hard_link(item.path, item.target);
    case TarItem::Kind::kSpecial:
      break;
  }
  return at(item.path, invalid("archive.special_file", "a device or pipe in the archive", "remove it"));
}

Result<std::string> read_whole(const fs::path& path, std::uint64_t size) {
  std::ifstream file(path, std::ios::binary);
  std::string bytes(size, '\0');
  file.read(bytes.data(), static_cast<std::streamsize>(size));
  if (!file) return at(path.string(), denied("source.unreadable", "the file cannot be read"));
  return bytes;
}

// Walks a folder into a tree without following links.
class FolderWalk {
 public:
  FolderWalk(const fs::path& root, SourceTree& tree, const IgnoreRules& rules)
      : root_(root), tree_(tree), rules_(rules) {}

  Status walk() {
    std::error_code failed;
    fs::recursive_directory_iterator entries(root_, failed);
    for (; !failed && entries != fs::end(entries); entries.increment(failed)) {
      bool enter = false;
      SLIPWAY_TRY(take(*entries, enter));
      if (!enter) entries.disable_recursion_pending();
    }
    if (failed) return denied("source.unreadable", fmt::format("reading the folder: {}", failed.message()));
    return {};
  }

 private:
  Status take(const fs::directory_entry& entry, bool& enter) {
    const std::string path = entry.path().lexically_relative(root_).generic_string();
    std::error_code failed;
    const fs::file_status status = entry.symlink_status(failed);
    if (failed) return at(path, denied("source.unreadable", failed.message()));
    const bool folder = fs::is_directory(status);
    const Fate fate = fate_of(path, rules_);
    enter = folder && (fate == Fate::kKept || rules_.takes_back());
    if (fate == Fate::kLeftOut && !enter) tree_.warn("archive.left_out", path, "left out");
    if (fate != Fate::kKept) return {};
    if (folder) return tree_.add_folder(path);
    if (fs::is_symlink(status)) return tree_.add_link(path, fs::read_symlink(entry.path(), failed).string());
    if (!fs::is_regular_file(status)) {
      tree_.warn("archive.special_file", path, "a device, pipe or socket is left out");
      return {};
    }
    const std::uint64_t size = entry.file_size(failed);
    if (failed) return at(path, denied("source.unreadable", failed.message()));
    SLIPWAY_TRY(tree_.room_for(path, size));
    SLIPWAY_ASSIGN(std::string bytes, read_whole(entry.path(), size));
    return tree_.add_file(path, std::move(bytes), static_cast<std::uint32_t>(status.permissions()) & 0777U);
  }

  const fs::path& root_;
  SourceTree& tree_;
  const IgnoreRules& rules_;
};

class TarArchives final : public Archives {
 public:
  Result<Source> read_source(ByteSource& bytes, const ArchiveLimits& limits) const override {
    DigestingSource packed(bytes, limits.bytes + kMostOverhead);
    Unpacked unpacked(packed);
    TarReader reader(unpacked, limits.bytes);
    SourceTree tree(limits);
    for (;;) {
      SLIPWAY_ASSIGN(const auto item, reader.next());
      if (!item) break;
      SLIPWAY_TRY(take(reader, *item, tree));
    }
    SLIPWAY_ASSIGN(Source source, tree.finish());
    SLIPWAY_ASSIGN(source.archive_digest, packed.finish());
    return source;
  }

  Result<Source> pack_folder(const fs::path& folder, const ArchiveLimits& limits) const override {
    std::error_code failed;
    if (!fs::is_directory(folder, failed))
      return not_found("source.not_found", fmt::format("there is no folder '{}'", shown(folder.string())));
    SourceTree tree(limits);
    std::string rules;
    if (const fs::path file = folder / ".dockerignore"; fs::is_regular_file(file, failed)) {
      const std::uint64_t size = fs::file_size(file, failed);
      SLIPWAY_ASSIGN(rules, read_whole(file, std::min<std::uint64_t>(size, kLongestIgnoreFile)));
    }
    const IgnoreRules ignore(rules);
    SLIPWAY_TRY(FolderWalk(folder, tree, ignore).walk());
    SLIPWAY_ASSIGN(Source source, tree.finish());
    source.archive_digest = source.digest;
    return source;
  }

  Result<std::string> make_tar(std::span<const TarEntry> entries) const override {
    TarWriter writer;
    write(writer, entries);
    return writer.finish();
  }

  Result<std::string> make_context(const Source& source, std::string_view prefix,
                                   std::span<const TarEntry> extra) const override {
    constexpr std::size_t kForOtherHeaders = 1 << 20;
    TarWriter writer;
    std::size_t extra_bytes = 0;
    for (const auto& entry : extra) extra_bytes += entry.bytes.size();
    writer.expect(source.tar.size() + extra_bytes + kForOtherHeaders);
    write(writer, extra);
    BytesInMemory bytes(source.tar);
    TarReader reader(bytes, source.tar.size());
    for (;;) {
      SLIPWAY_ASSIGN(const auto item, reader.next());
      if (!item) return writer.finish();
      const std::string path = prefix.empty() ? item->path : fmt::format("{}/{}", prefix, item->path);
      if (item->kind == TarItem::Kind::kFile)
        SLIPWAY_TRY(writer.file_from(reader, path, item->size, item->mode));
      if (item->kind == TarItem::Kind::kFolder) writer.folder(path);
      if (item->kind == TarItem::Kind::kLink) writer.link(path, item->target);
    }
  }

  Result<std::string> read_file(std::string_view tar, std::string_view path,
                                std::size_t max_bytes) const override {
    BytesInMemory bytes(tar);
    TarReader reader(bytes, std::uint64_t{1} << 40);
    const auto plain = [](std::string_view name) { return name.starts_with("./") ? name.substr(2) : name; };
    for (;;) {
      SLIPWAY_ASSIGN(const auto item, reader.next());
      if (!item) break;
      if (item->kind != TarItem::Kind::kFile || plain(item->path) != plain(path)) continue;
      if (item->size > max_bytes)
        return at(path, invalid("archive.too_large", fmt::format("the file has {} bytes", item->size)));
      return reader.data();
    }
    return at(path, not_found("archive.no_such_file",
                              fmt::format("there is no file '{}' in the archive", shown(path))));
  }

 private:
  static void write(TarWriter& writer, std::span<const TarEntry> entries) {
    for (const auto& entry : entries) {
      if (entry.path.ends_with('/')) {
        writer.folder(entry.path, entry.mode | (entry.mode & 0444U) >> 2U, entry.uid, entry.gid);
      } else {
        writer.file(entry.path, entry.bytes, entry.mode, entry.uid, entry.gid);
      }
    }
  }
};

}  // namespace

std::unique_ptr<Archives> make_archives() {
  return std::make_unique<TarArchives>();
}

}  // namespace slipway::archive
