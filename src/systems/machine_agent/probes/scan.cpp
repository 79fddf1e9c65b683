#include "systems/machine_agent/probes/scan.hpp"

#include <charconv>

namespace slipway::machine_agent {
namespace {

constexpr std::string_view kBlanks = " \t\n\r";

template <class Number>
std::optional<Number> convert(std::optional<std::string_view> word) {
  if (!word) return std::nullopt;
  Number value{};
  const auto [end, failure] = std::from_chars(word->data(), word->data() + word->size(), value);
  if (failure != std::errc{} || end != word->data() + word->size()) return std::nullopt;
  return value;
}

}  // namespace

std::optional<std::string_view> Scan::line() {
  if (rest_.empty()) return std::nullopt;
  const auto end = rest_.find('\n');
  const auto line = rest_.substr(0, end);
  rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end + 1);
  return line;
}

std::optional<std::string_view> Scan::word() {
  const auto begin = rest_.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) {
    rest_ = {};
    return std::nullopt;
  }
  rest_.remove_prefix(begin);
  const auto word = rest_.substr(0, rest_.find_first_of(kBlanks));
  rest_.remove_prefix(word.size());
  return word;
}

std::optional<std::uint64_t> Scan::number() {
  return convert<std::uint64_t>(word());
}

std::optional<double> Scan::decimal() {
  return convert<double>(word());
}

bool Scan::skip(int count) {
  for (int i = 0; i < count; ++i)
    if (!word()) return false;
  return true;
}

std::optional<std::uint64_t> to_number(std::string_view text) {
  Scan scan{text};
  const auto value = scan.number();
  return scan.word() ? std::nullopt : value;
}

std::optional<std::uint64_t> find_number(std::string_view text, std::string_view key) {
  Scan lines{text};
  while (const auto line = lines.line()) {
    if (!line->starts_with(key)) continue;
    Scan words{*line};
    if (words.word() == key) return words.number();
  }
  return std::nullopt;
}

}  // namespace slipway::machine_agent
