#pragma once

#include <algorithm>
#include <map>
#include <string>

#include "base/digest.hpp"
#include "ports/source_archive.hpp"
#include "tests/fakes/tiny_tar.hpp"

namespace slipway::fakes {

/// Archives of plain ustar tars without folders: enough to carry a service through the stages.
class FakeArchives final : public Archives {
 public:
  Result<Source> read_source(ByteSource& bytes, const ArchiveLimits& = {}) const override {
    std::string tar;
    std::string buffer(1 << 16, '\0');
    for (;;) {
      const auto count = bytes.read(buffer);
      if (!count) return count.error();
      if (*count == 0) break;
      tar.append(buffer, 0, *count);
    }
    return from(read_tar(tar), sha256_hex(tar));
  }
  Result<Source> pack_folder(const std::filesystem::path& folder, const ArchiveLimits& = {}) const override {
    return not_found("source.not_found", folder.string());
  }
  Result<std::string> make_tar(std::span<const TarEntry> entries) const override {
    std::map<std::string, std::string> files;
    for (const auto& entry : entries) files[entry.path] = entry.bytes;
    return fakes::make_tar(files);
  }
  Result<std::string> make_context(const Source& source, std::string_view prefix,
                                   std::span<const TarEntry> extra) const override {
    std::map<std::string, std::string> files;
    for (const auto& entry : extra) files[entry.path] = entry.bytes;
    for (const auto& [path, content] : read_tar(source.tar))
      files[prefix.empty() ? path : std::string(prefix) + "/" + path] = content;
    return fakes::make_tar(files);
  }
  Result<std::string> read_file(std::string_view tar, std::string_view path, std::size_t) const override {
    const auto files = read_tar(tar);
    const auto found = files.find(std::string(path));
    if (found == files.end()) return not_found("archive.no_such_file", std::string(path));
    return found->second;
  }

 private:
  static Result<Source> from(const std::map<std::string, std::string>& files, std::string archive_digest) {
    Source source;
    source.tar = fakes::make_tar(files);
    source.digest = sha256_hex(source.tar);
    source.archive_digest = std::move(archive_digest);
    for (const auto& [path, content] : files)
      source.entries.push_back({.path = path,
                                .size = content.size(),
                                .target = {},
                                .head = content.substr(0, SourceEntry::kHeadBytes)});
    const auto meta = files.find("service.yaml");
    if (meta == files.end()) return invalid("meta.not_found", "no service.yaml");
    source.meta_name = meta->first;
    source.meta_text = meta->second;
    return source;
  }
};

}  // namespace slipway::fakes
