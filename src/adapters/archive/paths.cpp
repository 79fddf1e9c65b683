#include "adapters/archive/paths.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/text.hpp"

namespace slipway::archive {
namespace {

constexpr std::size_t kLongestPart = 255;

constexpr std::array kLatinForms = std::to_array<std::pair<std::string_view, std::string_view>>({
#include "adapters/archive/latin_forms.inc"
});

bool has_bad_character(std::string_view path) {
  for (std::size_t i = 0; i < path.size(); ++i) {
    const auto byte = static_cast<unsigned char>(path[i]);
    if (byte < 0x20 || byte == 0x7f || byte == '\\' || byte == ':') return true;
    if (byte == 0xc2 && i + 1 < path.size() && static_cast<unsigned char>(path[i + 1]) < 0xa0) return true;
    for (const std::string_view hidden : {"\u200e", "\u200f", "\u202a", "\u202b", "\u202c", "\u202d",
                                          "\u202e", "\u2066", "\u2067", "\u2068", "\u2069"})
      if (byte == 0xe2 && path.substr(i).starts_with(hidden)) return true;
  }
  return find_invalid_utf8(path).has_value();
}

Error at(std::string_view path, Error error) {
  error.where = shown(path);
  return error;
}

Status check_characters(std::string_view path) {
  const auto parts = split(path, '/');
  const bool long_part =
      std::ranges::any_of(parts, [](const auto& part) { return part.size() > kLongestPart; });
  if (!has_bad_character(path) && !long_part) return {};
  return at(path, invalid("archive.path_chars", fmt::format("the name '{}' cannot be used", shown(path)),
                          "no control characters, no '\\' or ':', valid UTF-8, at most 255 bytes each part"));
}

}  // namespace

std::string shown(std::string_view name) {
  std::string out;
  for (const char c : name.substr(0, 200)) {
    if (c >= 0x20 && c < 0x7f) {
      out.push_back(c);
    } else {
      out += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    }
  }
  return name.size() > 200 ? out + "..." : out;
}

Result<std::string> clean_path(std::string_view raw, std::size_t depth) {
  if (raw.size() > 65'536)
    return at(raw, invalid("archive.path_chars", "a name of more than 64 KiB", "shorten it"));
  SLIPWAY_TRY(check_characters(raw));
  if (raw.starts_with('/'))
    return at(raw, invalid("archive.path_escape", "an absolute path in the archive", "pack relative paths"));
  std::vector<std::string> parts;
  for (auto& part : split(raw, '/')) {
    if (part == "..")
      return at(raw,
                invalid("archive.path_escape", "a path with '..' in the archive", "pack paths without '..'"));
    if (!part.empty() && part != ".") parts.push_back(std::move(part));
  }
  if (parts.size() > depth)
    return at(raw, invalid("archive.too_deep", fmt::format("folders are nested deeper than {} levels", depth),
                           "put it higher up"));
  return join(parts, "/");
}

Status check_link(std::string_view path, std::string_view target) {
  SLIPWAY_TRY(check_characters(target));
  auto ups_left = std::ranges::count(path, '/');
  bool down = false;
  bool leaves = target.empty() || target.starts_with('/');
  for (const auto& part : split(target, '/')) {
    if (part == "..") leaves = leaves || down || ups_left-- == 0;
    if (part != ".." && part != "." && !part.empty()) down = true;
  }
  if (!leaves) return {};
  return at(path, invalid("archive.link_escape", fmt::format("the link leads to '{}'", shown(target)),
                          "links must be relative, stay in the folder, and have '..' at their start only"));
}

std::string folded(std::string_view path) {
  std::string out;
  for (std::size_t i = 0; i < path.size();) {
    if (static_cast<unsigned char>(path[i]) < 0x80) {
      const char c = path[i++];
      out.push_back(c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c);
      continue;
    }
    const auto form = std::ranges::find(kLatinForms, path.substr(i, 2),
                                        &std::pair<std::string_view, std::string_view>::first);
    if (form == kLatinForms.end()) {
      out.push_back(path[i++]);
    } else {
      out += folded(form->second.substr(0, 1)) + std::string(form->second.substr(1));
      i += 2;
    }
  }
  return out;
}

std::vector<std::string> parents_of(std::string_view path) {
  std::vector<std::string> parents;
  for (std::size_t slash = path.find('/'); slash != std::string_view::npos; slash = path.find('/', slash + 1))
    parents.emplace_back(path.substr(0, slash));
  return parents;
}

}  // namespace slipway::archive
