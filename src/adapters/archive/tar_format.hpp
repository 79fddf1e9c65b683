#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ports/source_archive.hpp"

namespace slipway::archive {

inline constexpr std::size_t kBlock = 512;

/// One entry of a tar as it is written there, before any judgement.
struct TarItem {
  enum class Kind { kFile, kFolder, kLink, kHardLink, kSpecial };
  Kind kind = Kind::kFile;
  std::string path;
  std::string target;  ///< of a link
  std::uint32_t mode = 0;
  std::uint64_t size = 0;
  bool has_attributes = false;  ///< extended attributes, ACLs and the like, which are not read
};

/// A strict reader of tar: ustar, pax (POSIX.1-2008) and GNU long names. What two readers could understand
/// differently is refused as archive.ambiguous, what breaks the format as archive.corrupt: the list that it
/// gives is that of every other reader, or none. `bytes` outlives it.
class TarReader {
 public:
  TarReader(ByteSource& bytes, std::uint64_t largest_file) : bytes_(bytes), largest_file_(largest_file) {}

  /// The next entry, or nothing at the end. The data of the one before must have been read or is skipped.
  Result<std::optional<TarItem>> next();
  /// The data of the present entry.
  Result<std::string> data();
  /// The same, appended to `out`.
  Status data_into(std::string& out);

 private:
  struct Extended {
    std::optional<std::string> path, target;
    std::optional<std::uint64_t> size;
    bool attributes = false;
  };
  Result<bool> read_block(std::string& block);
  Status read_padded(std::uint64_t size, std::string& out);
  Status skip();
  Result<bool> at_end(const std::string& first_zero_block);
  Status take_extension(char type, std::uint64_t size, std::optional<Extended>& extended);
  static Status take_records(std::string_view records, bool global, Extended& extended);
  Result<TarItem> item(const std::string& header, const std::optional<Extended>& extended) const;

  ByteSource& bytes_;
  std::uint64_t largest_file_;
  std::uint64_t unread_ = 0;  // of the present entry, without padding
};

/// Appends entries to a tar: ustar, and a pax record where a name does not fit. Time is 0; the same calls
/// give the same bytes.
class TarWriter {
 public:
  /// Makes room for that many bytes at once: growing by doubling would need three times as much.
  void expect(std::size_t bytes) { tar_.reserve(bytes); }
  void file(std::string_view path, std::string_view bytes, std::uint32_t mode, std::uint32_t uid = 0,
            std::uint32_t gid = 0);
  /// A file whose bytes go from one tar into the other, with no copy between.
  Status file_from(TarReader& reader, std::string_view path, std::uint64_t size, std::uint32_t mode);
  void folder(std::string_view path, std::uint32_t mode = 0755, std::uint32_t uid = 0, std::uint32_t gid = 0);
  void link(std::string_view path, std::string_view target);
  /// Ends the archive and hands it over.
  std::string finish();

 private:
  struct Header;
  void header(const Header& header);
  void pad();
  std::string tar_;
};

}  // namespace slipway::archive
