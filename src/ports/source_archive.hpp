#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace slipway {

/// Bytes that come in pieces: a GridFS file, an upload, a file. One reader at a time.
class ByteSource {
 public:
  virtual ~ByteSource() = default;
  /// Fills the start of `buffer`; how many bytes came, 0 at the end.
  virtual Result<std::size_t> read(std::span<char> buffer) = 0;
};

/// A ByteSource over bytes that outlive it.
class BytesInMemory : public ByteSource {
 public:
  explicit BytesInMemory(std::string_view bytes) : rest_(bytes) {}
  Result<std::size_t> read(std::span<char> buffer) override {
    const std::size_t count = rest_.copy(buffer.data(), buffer.size());
    rest_.remove_prefix(count);
    return count;
  }

 private:
  std::string_view rest_;
};

struct ArchiveLimits {
  std::size_t entries = 20'000;
  std::uint64_t bytes = 128ULL << 20;  ///< unpacked, in all
  std::size_t depth = 32;
  std::size_t meta_bytes = 64 * 1024;
};

struct SourceEntry {
  enum class Kind { kFile, kFolder, kLink };
  Kind kind = Kind::kFile;
  std::string path;  ///< relative to the service's root, '/' between parts
  std::uint64_t size = 0;
  bool executable = false;
  std::string target;  ///< link: where it leads, inside the root
  std::string head{};  ///< file: its first kHeadBytes, by which programs are known
  static constexpr std::size_t kHeadBytes = 20;
};

/// A service's source in its canonical form: the same files give the same bytes, however they were packed.
struct Source {
  std::string tar;             ///< entries sorted, time 0, owner 0:0, modes 0644 and 0755
  std::string digest;          ///< SHA-256 of `tar`
  std::string archive_digest;  ///< SHA-256 of the bytes that were read
  std::vector<SourceEntry> entries;
  std::string meta_name;        ///< "service.yaml" or "service.json"
  std::string meta_text;        ///< its bytes, unchecked
  std::vector<Error> warnings;  ///< what was left out or changed, with `where` = the path

  const SourceEntry* find(std::string_view path) const;
  /// Paths of all files, sorted.
  std::vector<std::string> file_paths() const;
};

/// An entry of a tar that is written: a build context, or files for a container.
struct TarEntry {
  std::string path;  ///< a '/' at the end makes a folder, which may be entered where it may be read
  std::string bytes;
  std::uint32_t mode = 0644;
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
};

/// Tar archives, in and out, in memory; never unpacked to disk. Any thread may call; nothing is kept.
class Archives {
 public:
  virtual ~Archives() = default;

  /// Reads a tar (plain, gzip or zstd) from anybody. One top folder is stripped if the meta file is not in
  /// the root; `.dockerignore` is applied; `.git`, `.env` and private keys are left out with a warning.
  /// kInvalid with code archive.*, meta.not_found or meta.ambiguous; errors of `bytes` come through
  /// unchanged.
  virtual Result<Source> read_source(ByteSource& bytes, const ArchiveLimits& limits = {}) const = 0;

  /// The same from a folder of this machine, links not followed: what the CLI uploads (`Source::tar`) and
  /// what a `file:///` path gives. kNotFound `source.not_found` if there is no such folder.
  virtual Result<Source> pack_folder(const std::filesystem::path& folder,
                                     const ArchiveLimits& limits = {}) const = 0;

  /// A tar with these entries, in this order, time 0.
  virtual Result<std::string> make_tar(std::span<const TarEntry> entries) const = 0;

  /// A build context: the source with `prefix` + "/" before each path (or as it is, if empty), after `extra`.
  virtual Result<std::string> make_context(const Source& source, std::string_view prefix,
                                           std::span<const TarEntry> extra) const = 0;

  /// The bytes of one regular file of a tar; "./" before names is ignored. kNotFound `archive.no_such_file`;
  /// kInvalid `archive.too_large` over `max_bytes`.
  virtual Result<std::string> read_file(std::string_view tar, std::string_view path,
                                        std::size_t max_bytes = 1 << 20) const = 0;
};

}  // namespace slipway
