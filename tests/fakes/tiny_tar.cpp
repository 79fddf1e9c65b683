#include "tests/fakes/tiny_tar.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

namespace slipway::fakes {
namespace {
constexpr std::size_t kBlock = 512;

void put(std::string& header, std::size_t at, std::string_view text) {
  header.replace(at, text.size(), text);
}

std::string field(std::string_view header, std::size_t at, std::size_t size) {
  const auto text = header.substr(at, size);
  return std::string{text.substr(0, text.find('\0'))};
}

std::size_t padded(std::size_t size) {
  return (size + kBlock - 1) / kBlock * kBlock;
}
}  // namespace

std::string make_tar(const std::map<std::string, std::string>& files) {
  std::string tar;
  for (const auto& [path, content] : files) {
    std::string header(kBlock, '\0');
    put(header, 0, path);
    put(header, 100, "0000644");
    put(header, 108, "0000000");
    put(header, 116, "0000000");
    put(header, 124, fmt::format("{:011o}", content.size()));
    put(header, 136, "00000000000");
    put(header, 148, "        ");
    put(header, 156, "0");
    put(header, 257, "ustar");
    put(header, 263, "00");
    unsigned sum = 0;
    for (const char c : header) sum += static_cast<unsigned char>(c);
    put(header, 148, fmt::format("{:06o}", sum));
    header[154] = '\0';
    tar += header;
    tar += content;
    tar.append(padded(content.size()) - content.size(), '\0');
  }
  tar.append(2 * kBlock, '\0');
  return tar;
}

std::map<std::string, std::string> read_tar(std::string_view tar) {
  std::map<std::string, std::string> files;
  while (tar.size() >= kBlock && tar[0] != '\0') {
    const auto header = tar.substr(0, kBlock);
    const std::size_t size = std::strtoul(field(header, 124, 12).c_str(), nullptr, 8);
    tar.remove_prefix(kBlock);
    const char type = header[156];
    if (type == '0' || type == '\0') files[field(header, 0, 100)] = std::string{tar.substr(0, size)};
    tar.remove_prefix(std::min(padded(size), tar.size()));
  }
  return files;
}

}  // namespace slipway::fakes
