#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace slipway::machine_agent {

/// Walks through kernel text (`/proc`, `/sys`, cgroup files) from left to right without copying it. The text
/// must outlive the Scan and what it returned.
class Scan {
 public:
  explicit Scan(std::string_view text) : rest_(text) {}

  /// The next line without its end; nothing when the text is used up.
  std::optional<std::string_view> line();
  /// The next word of this text; words are separated by blanks, tabs and line ends.
  std::optional<std::string_view> word();
  /// The next word as a number; nothing if there is none or it is no number that fits.
  std::optional<std::uint64_t> number();
  std::optional<double> decimal();
  /// Passes over `count` words; false if there are fewer.
  bool skip(int count);

 private:
  std::string_view rest_;
};

/// The whole of `text`, blanks around it aside, as a number.
std::optional<std::uint64_t> to_number(std::string_view text);

/// The number after the line-leading `key` in lines "key number ..."; nothing if no line starts so.
std::optional<std::uint64_t> find_number(std::string_view text, std::string_view key);

/// How much a counter grew; 0 where it was reset in between.
inline double growth(std::uint64_t before, std::uint64_t after) {
  return after > before ? static_cast<double>(after - before) : 0.0;
}

}  // namespace slipway::machine_agent
