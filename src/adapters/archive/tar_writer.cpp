#include <fmt/format.h>

#include "adapters/archive/tar_format.hpp"

namespace slipway::archive {

struct TarWriter::Header {
  char type;
  std::string_view path;
  std::string_view target{};
  std::uint64_t size = 0;
  std::uint32_t mode = 0644;
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
};

namespace {

constexpr std::size_t kNameSize = 100;
constexpr std::size_t kPrefixSize = 155;

void put(std::string& block, std::size_t offset, std::string_view value) {
  block.replace(offset, value.size(), value);
}

// The slash that splits a long path into prefix and name; npos if none does.
std::size_t split_at(std::string_view path) {
  if (path.size() > kPrefixSize + 1 + kNameSize) return std::string_view::npos;
  const std::size_t slash = path.find('/', path.size() - kNameSize - 1);
  return slash == std::string_view::npos || slash == 0 || slash > kPrefixSize || slash + 1 == path.size()
             ? std::string_view::npos
             : slash;
}

// "<length> <key>=<value>\n" where the length counts itself.
std::string pax_record(std::string_view key, std::string_view value) {
  const std::size_t rest = key.size() + value.size() + 3;
  std::size_t length = rest + 1;
  while (std::to_string(length).size() + rest != length) length = std::to_string(length).size() + rest;
  return fmt::format("{} {}={}\n", length, key, value);
}

}  // namespace

void TarWriter::pad() {
  tar_.resize((tar_.size() + kBlock - 1) / kBlock * kBlock, '\0');
}

void TarWriter::header(const Header& header) {
  std::string records;
  std::string_view name = header.path;
  std::string_view prefix;
  std::string_view target = header.target;
  if (name.size() > kNameSize) {
    if (const std::size_t slash = split_at(name); slash != std::string_view::npos) {
      prefix = name.substr(0, slash);
      name = name.substr(slash + 1);
    } else {
      records += pax_record("path", name);
      name = name.substr(0, kNameSize);
    }
  }
  if (target.size() > kNameSize) {
    records += pax_record("linkpath", target);
    target = target.substr(0, kNameSize);
  }
  if (!records.empty()) {
    this->header({.type = 'x', .path = "pax", .size = records.size()});
    tar_ += records;
    pad();
  }
  std::string block(kBlock, '\0');
  put(block, 0, name);
  put(block, 100, fmt::format("{:07o}", header.mode));
  put(block, 108, fmt::format("{:07o}", header.uid));
  put(block, 116, fmt::format("{:07o}", header.gid));
  put(block, 124, fmt::format("{:011o}", header.size));
  put(block, 136, fmt::format("{:011o}", 0));
  put(block, 148, "        ");
  block[156] = header.type;
  put(block, 157, target);
  put(block, 257, std::string_view("ustar\00000", 8));
  put(block, 329, "0000000");
  put(block, 337, "0000000");
  put(block, 345, prefix);
  unsigned sum = 0;
  for (const char c : block) sum += static_cast<unsigned char>(c);
  put(block, 148, fmt::format("{:06o}", sum));
  block[154] = '\0';
  tar_ += block;
}

void TarWriter::file(std::string_view path, std::string_view bytes, std::uint32_t mode, std::uint32_t uid,
                     std::uint32_t gid) {
  header({.type = '0', .path = path, .size = bytes.size(), .mode = mode, .uid = uid, .gid = gid});
  tar_ += bytes;
  pad();
}

Status TarWriter::file_from(TarReader& reader, std::string_view path, std::uint64_t size,
                            std::uint32_t mode) {
  header({.type = '0', .path = path, .size = size, .mode = mode});
  SLIPWAY_TRY(reader.data_into(tar_));
  pad();
  return {};
}

void TarWriter::folder(std::string_view path, std::uint32_t mode, std::uint32_t uid, std::uint32_t gid) {
  const std::string name = path.ends_with('/') ? std::string(path) : std::string(path) + "/";
  header({.type = '5', .path = name, .mode = mode, .uid = uid, .gid = gid});
}

void TarWriter::link(std::string_view path, std::string_view target) {
  header({.type = '2', .path = path, .target = target, .mode = 0777});
}

std::string TarWriter::finish() {
  tar_.append(2 * kBlock, '\0');
  return std::move(tar_);
}

}  // namespace slipway::archive
