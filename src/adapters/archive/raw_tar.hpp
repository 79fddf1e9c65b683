#pragma once

// Tars as nobody's library would write them, and reading them. For tests.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/archive/archives.hpp"

namespace slipway::archive {

inline std::string repeated(std::string_view part, std::size_t times) {
  std::string text;
  for (std::size_t i = 0; i < times; ++i) text += part;
  return text;
}

struct Raw {
  std::string path;
  std::string data = {};
  char type = '0';
  std::string target = {};
  std::string size = {};  // 12 bytes as they are, instead of the real size
  std::uint32_t mode = 0644;
  std::string prefix = {};
};

inline std::string block_of(const Raw& raw) {
  std::string block(512, '\0');
  const auto put = [&](std::size_t at, std::string_view value) { block.replace(at, value.size(), value); };
  put(0, raw.path.substr(0, 100));
  put(100, fmt::format("{:07o}", raw.mode));
  put(108, "0000000");
  put(116, "0000000");
  put(124, raw.size.empty() ? fmt::format("{:011o}", raw.data.size()) : raw.size);
  put(136, "00000000001");
  put(148, "        ");
  block[156] = raw.type;
  put(157, raw.target.substr(0, 100));
  put(257, std::string_view("ustar\00000", 8));
  put(345, raw.prefix);
  unsigned sum = 0;
  for (const char c : block) sum += static_cast<unsigned char>(c);
  put(148, fmt::format("{:06o}", sum));
  block[154] = '\0';
  return block;
}

inline std::string part_of(const Raw& raw) {
  std::string bytes = block_of(raw) + raw.data;
  bytes.resize((bytes.size() + 511) / 512 * 512, '\0');
  return bytes;
}

inline const std::string kEnd(1024, '\0');

inline std::string record(const std::string& key, const std::string& value) {
  std::string text = " " + key + "=" + value + "\n";
  std::size_t length = text.size() + 1;
  while (std::to_string(length).size() + text.size() != length)
    length = std::to_string(length).size() + text.size();
  return std::to_string(length) + text;
}

inline Raw pax(const std::string& records) {
  return {.path = "pax", .data = records, .type = 'x'};
}

inline std::string tar_of(const std::vector<Raw>& raws) {
  std::string tar;
  for (const auto& raw : raws) tar += part_of(raw);
  return tar + kEnd;
}

inline const Raw kMeta{.path = "service.yaml", .data = "name: a\n"};

inline std::string with_meta(std::vector<Raw> raws) {
  raws.insert(raws.begin(), kMeta);
  return tar_of(raws);
}

inline Result<Source> read(const std::string& tar, const ArchiveLimits& limits = {}) {
  BytesInMemory bytes(tar);
  return make_archives()->read_source(bytes, limits);
}

inline Source must_read(const std::string& tar) {
  auto source = read(tar);
  EXPECT_TRUE(source) << to_string(source.error());
  return source ? std::move(*source) : Source();
}

}  // namespace slipway::archive
