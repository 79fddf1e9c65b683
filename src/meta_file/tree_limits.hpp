#pragma once

#include <cstddef>
#include <expected>
#include <string>
#include <string_view>
#include <utility>

#include "meta_file/document.hpp"

namespace slipway::meta_file {

/// An Error that still needs the file's name before its place.
struct Misread {
  Error error;
  Place place;
};
template <class T>
using Read = std::expected<T, Misread>;

inline std::unexpected<Misread> misread(std::string code, std::string message, Place place,
                                        std::string hint = {}) {
  return std::unexpected(Misread{invalid(std::move(code), std::move(message), std::move(hint)), place});
}

/// Counts what both readers must bound. One object for one text.
class TreeLimits {
 public:
  explicit TreeLimits(const ReadLimits& limits) : limits_(limits) {}
  /// A node at `depth` (the root has 1): meta.too_deep, meta.too_long.
  Read<void> add_node(std::size_t depth, Place place);
  /// meta.control_char for a scalar with control characters (newline, tab and carriage return may be).
  static Read<void> check_text(std::string_view text, Place place);
  /// meta.duplicate_key if a key of `map`, which is complete, is there twice.
  static Read<void> check_keys(const Node& map);

 private:
  ReadLimits limits_;
  std::size_t nodes_ = 0;
};

/// Offset of the first control character (C0 but newline, tab, carriage return; C1; bidirectional overrides)
/// of valid UTF-8; npos if there is none.
std::size_t find_control_character(std::string_view text);

/// The text must be valid UTF-8 with '\n' line ends.
Read<Node> read_yaml(const std::string& text, const ReadLimits& limits);
Read<Node> read_json(std::string_view text, const ReadLimits& limits);

}  // namespace slipway::meta_file
