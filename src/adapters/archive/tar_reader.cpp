#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "adapters/archive/paths.hpp"
#include "adapters/archive/tar_format.hpp"

namespace slipway::archive {
namespace {

// Layout of a header block: POSIX.1-2008, pax, "ustar Interchange Format".
struct Field {
  std::size_t offset;
  std::size_t size;
};
constexpr Field kName{0, 100}, kMode{100, 8}, kSize{124, 12}, kChecksum{148, 8}, kLink{157, 100},
    kMagic{257, 8}, kPrefix{345, 155};
constexpr std::size_t kType = 156;

constexpr std::uint64_t kLongestExtension = 1 << 20;
constexpr std::uint64_t kAbsurdSize = 1ULL << 40;
constexpr std::uint64_t kMostPadding = 64ULL << 20;

Error corrupt(std::string message) {
  return invalid("archive.corrupt", std::move(message), "pack it again: tar, plain or with gzip or zstd");
}
Error at(std::string_view path, Error error) {
  error.where = shown(path);
  return error;
}
Error ambiguous(std::string message, std::string_view path = {}) {
  return at(path, invalid("archive.ambiguous", std::move(message),
                          "tar programs would not agree on it: pack it again"));
}

std::string_view field(std::string_view block, Field where) {
  return block.substr(where.offset, where.size);
}

std::string text(std::string_view block, Field where) {
  const std::string_view all = field(block, where);
  return std::string(all.substr(0, all.find('\0')));
}

// Octal digits between spaces and NULs, or (size only in practice) base 256 with the first bit set.
Result<std::uint64_t> number(std::string_view block, Field where) {
  std::string_view digits = field(block, where);
  std::uint64_t value = 0;
  if ((static_cast<unsigned char>(digits[0]) & 0x80U) != 0) {
    if (static_cast<unsigned char>(digits[0]) != 0x80U)
      return corrupt("a negative or huge number in a header");
    for (const char c : digits.substr(1)) {
      if (value >> 55 != 0) return corrupt("a number in a header is too large");
      value = value << 8 | static_cast<unsigned char>(c);
    }
    return value;
  }
  digits.remove_prefix(std::min(digits.find_first_not_of(' '), digits.size()));
  const std::size_t end = digits.find_first_of(std::string_view(" \0", 2));
  const std::string_view rest = end == std::string_view::npos ? "" : digits.substr(end);
  digits = digits.substr(0, end);
  if (rest.find_first_not_of(std::string_view(" \0", 2)) != std::string_view::npos)
    return corrupt("a header is not that of a tar archive");
  if (digits.empty()) return value;
  const auto [last, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, 8);
  if (error != std::errc{} || last != digits.data() + digits.size())
    return corrupt("a header is not that of a tar archive");
  return value;
}

// Owner, time and device do not matter here, but other readers stop at one that is no number.
Status check_numbers(std::string_view block) {
  for (const Field where : {Field{108, 8}, Field{116, 8}, Field{136, 12}, Field{329, 8}, Field{337, 8}})
    if (block[where.offset] != '\xff') SLIPWAY_TRY(number(block, where));  // that one is below zero
  return {};
}

Status check_sum(std::string_view block) {
  SLIPWAY_ASSIGN(const std::uint64_t wanted, number(block, kChecksum));
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < block.size(); ++i)
    sum += i >= kChecksum.offset && i < kChecksum.offset + kChecksum.size
               ? static_cast<unsigned char>(' ')
               : static_cast<unsigned char>(block[i]);
  if (sum != wanted) return corrupt("this is no tar archive, or a damaged one (checksum of a header)");
  return {};
}

bool is_zero(std::string_view block) {
  return block.find_first_not_of('\0') == std::string_view::npos;
}

}  // namespace

// False at the end of the bytes; a block cut in half is corrupt.
Result<bool> TarReader::read_block(std::string& block) {
  block.assign(kBlock, '\0');
  std::size_t have = 0;
  while (have < kBlock) {
    SLIPWAY_ASSIGN(const std::size_t count, bytes_.read(std::span(block).subspan(have)));
    if (count == 0 && have == 0) return false;
    if (count == 0) return corrupt("the archive is cut off");
    have += count;
  }
  return true;
}

// Appends `size` bytes to `out`. Grows with what really comes: a size is only a claim.
Status TarReader::read_padded(std::uint64_t size, std::string& out) {
  constexpr std::uint64_t kStep = 1 << 20;
  for (std::uint64_t left = size; left > 0;) {
    const std::size_t have = out.size();
    out.resize(have + static_cast<std::size_t>(std::min(kStep, left)));
    SLIPWAY_ASSIGN(const std::size_t count, bytes_.read(std::span(out).subspan(have)));
    if (count == 0) return corrupt("the archive is cut off");
    out.resize(have + count);
    left -= count;
  }
  std::string padding((kBlock - size % kBlock) % kBlock, '\0');
  for (std::size_t have = 0; have < padding.size();) {
    SLIPWAY_ASSIGN(const std::size_t count, bytes_.read(std::span(padding).subspan(have)));
    if (count == 0) return corrupt("the archive is cut off");
    have += count;
  }
  return {};
}

Result<std::string> TarReader::data() {
  std::string out;
  out.reserve(unread_);  // at most the largest file that is allowed; memory only once it is written to
  SLIPWAY_TRY(data_into(out));
  return out;
}

Status TarReader::skip() {
  std::array<char, 16 * 1024> dropped{};
  const std::uint64_t size = std::exchange(unread_, 0);
  for (std::uint64_t left = size + (kBlock - size % kBlock) % kBlock; left > 0;) {
    SLIPWAY_ASSIGN(const std::size_t count, bytes_.read(std::span(dropped).first(static_cast<std::size_t>(
                                                std::min<std::uint64_t>(left, dropped.size())))));
    if (count == 0) return corrupt("the archive is cut off");
    left -= count;
  }
  return {};
}

Status TarReader::data_into(std::string& out) {
  return read_padded(std::exchange(unread_, 0), out);
}

// Two zero blocks, then nothing but zeros: what follows would be seen by some readers only.
Result<bool> TarReader::at_end(const std::string& first_zero_block) {
  std::string block = first_zero_block;
  std::uint64_t zeros = 0;
  for (;; zeros += kBlock) {
    SLIPWAY_ASSIGN(const bool more, read_block(block));
    if (!more) return true;
    if (!is_zero(block)) return ambiguous("there is more after the end of the archive");
    if (zeros > kMostPadding)
      return invalid("archive.too_large", "the archive ends in too many zeros", "pack it again");
  }
}

Result<std::optional<TarItem>> TarReader::next() {
  SLIPWAY_TRY(skip());
  std::optional<Extended> extended;
  std::string block;
  for (;;) {
    SLIPWAY_ASSIGN(const bool more, read_block(block));
    if (!more) return corrupt("the archive is cut off: its end mark is missing");
    if (is_zero(block)) {
      if (extended) return corrupt("the archive ends after an extended header");
      SLIPWAY_TRY(at_end(block));
      return std::optional<TarItem>();
    }
    SLIPWAY_TRY(check_sum(block));
    SLIPWAY_TRY(check_numbers(block));
    SLIPWAY_ASSIGN(const std::uint64_t size, number(block, kSize));
    const char type = block[kType];
    if (std::string_view("xgLK").contains(type)) {
      SLIPWAY_TRY(take_extension(type, size, extended));
      continue;
    }
    SLIPWAY_ASSIGN(TarItem found, item(block, extended));
    unread_ = found.size;
    return std::optional(std::move(found));
  }
}

Status TarReader::take_extension(char type, std::uint64_t size, std::optional<Extended>& extended) {
  if (size > kLongestExtension) return corrupt(fmt::format("an extended header of {} bytes", size));
  std::string bytes;
  SLIPWAY_TRY(read_padded(size, bytes));
  if (type == 'g') {
    Extended ignored;
    return take_records(bytes, true, ignored);
  }
  if (!extended) extended.emplace();
  if (type == 'x') {
    if (extended->path || extended->target || extended->size)
      return ambiguous("two extended headers for one entry");
    return take_records(bytes, false, *extended);
  }
  if (bytes.ends_with('\0')) bytes.pop_back();
  auto& name = type == 'L' ? extended->path : extended->target;
  if (name || extended->size) return ambiguous("two extended headers for one entry");
  name = std::move(bytes);
  return {};
}

// "<length> <key>=<value>\n", the length counting all of it.
Status TarReader::take_records(std::string_view records, bool global, Extended& extended) {
  while (!records.empty()) {
    std::size_t length = 0;
    const auto [end, error] = std::from_chars(records.data(), records.data() + records.size(), length);
    const auto digits = static_cast<std::size_t>(end - records.data());
    if (error != std::errc{} || length > records.size() || length < digits + 3 || records[digits] != ' ' ||
        records[length - 1] != '\n')
      return corrupt("an extended header is damaged");
    const std::string_view record = records.substr(digits + 1, length - digits - 2);
    records.remove_prefix(length);
    const std::size_t equals = record.find('=');
    if (equals == std::string_view::npos) return corrupt("an extended header is damaged");
    const std::string_view key = record.substr(0, equals);
    const std::string value(record.substr(equals + 1));
    if (key.starts_with("GNU.sparse"))
      return invalid("archive.unsupported", "sparse files are not taken", "pack it without --sparse");
    const bool decides = key == "path" || key == "linkpath" || key == "size";
    if (decides && global) return ambiguous("a global header that names files");
    if (key == "path" || key == "linkpath") {
      auto& name = key == "path" ? extended.path : extended.target;
      if (name) return ambiguous("a name is given twice", value);
      name = value;
    } else if (key == "size") {
      std::uint64_t size = 0;
      const auto [stop, wrong] = std::from_chars(value.data(), value.data() + value.size(), size);
      if (wrong != std::errc{} || stop != value.data() + value.size())
        return corrupt("an extended header is damaged");
      if (extended.size) return ambiguous("a size is given twice");
      extended.size = size;
    } else if (key.contains('.')) {
      extended.attributes = true;
    }
  }
  return {};
}

Result<TarItem> TarReader::item(const std::string& header, const std::optional<Extended>& extended) const {
  TarItem item;
  const bool posix = field(header, kMagic).starts_with(std::string_view("ustar\0", 6));
  const std::string prefix = posix ? text(header, kPrefix) : "";
  item.path = prefix.empty() ? text(header, kName) : prefix + "/" + text(header, kName);
  item.target = text(header, kLink);
  SLIPWAY_ASSIGN(item.size, number(header, kSize));
  SLIPWAY_ASSIGN(const std::uint64_t mode, number(header, kMode));
  item.mode = static_cast<std::uint32_t>(mode & 07777);
  if (extended) {
    if (extended->path) item.path = *extended->path;
    if (extended->target) item.target = *extended->target;
    if (extended->size && *extended->size != item.size)
      return ambiguous(fmt::format("two sizes for one file: {} and {}", item.size, *extended->size),
                       item.path);
    item.has_attributes = extended->attributes;
  }
  switch (header[kType]) {
    case '0':
    case '\0':
      item.kind = TarItem::Kind::kFile;
      if (item.path.ends_with('/')) return ambiguous("a file whose name ends with '/'", item.path);
      break;
    case '1':
      item.kind = TarItem::Kind::kHardLink;
      break;
    case '2':
      item.kind = TarItem::Kind::kLink;
      break;
    case '3':
    case '4':
    case '6':
      item.kind = TarItem::Kind::kSpecial;
      break;
    case '5':
      item.kind = TarItem::Kind::kFolder;
      break;
    default:
      return at(item.path, invalid("archive.unsupported",
                                   fmt::format("an entry of type {} (sparse, multi-volume and the like)",
                                               shown({&header[kType], 1})),
                                   "pack plain files, folders and links"));
  }
  if (item.kind != TarItem::Kind::kFile && item.size != 0)
    return ambiguous("an entry that is no file has data", item.path);
  if (item.size >= kAbsurdSize) return corrupt(fmt::format("an entry claims {} bytes", item.size));
  if (item.size > largest_file_)
    return at(item.path,
              invalid("archive.too_large", fmt::format("'{}' has {} bytes", shown(item.path), item.size),
                      "list what is not needed in .dockerignore"));
  return item;
}

}  // namespace slipway::archive
