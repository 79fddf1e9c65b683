#include "base/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

namespace slipway {
namespace {

// Length of the valid UTF-8 sequence at the start of `text`, 0 if there is none (Unicode 15, table 3-7).
std::size_t utf8_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
  const auto tail = [&](std::size_t i) { return (byte(i) & 0xc0U) == 0x80U; };
  const unsigned first = byte(0);
  if (first < 0x80) return text.empty() ? 0 : 1;
  if (first >= 0xc2 && first <= 0xdf) return tail(1) ? 2 : 0;
  if (first >= 0xe0 && first <= 0xef) {
    const unsigned low = first == 0xe0 ? 0xa0 : 0x80;
    const unsigned high = first == 0xed ? 0x9f : 0xbf;
    return byte(1) >= low && byte(1) <= high && tail(2) ? 3 : 0;
  }
  if (first >= 0xf0 && first <= 0xf4) {
    const unsigned low = first == 0xf0 ? 0x90 : 0x80;
    const unsigned high = first == 0xf4 ? 0x8f : 0xbf;
    return byte(1) >= low && byte(1) <= high && tail(2) && tail(3) ? 4 : 0;
  }
  return 0;
}

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j < row.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t substituted = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, substituted});
    }
  }
  return row[b.size()];
}

// The number at the start of `text`, which is shortened by it.
std::optional<double> take_number(std::string_view& text) {
  double value = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed);
  if (error != std::errc{} || value < 0) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return value;
}

}  // namespace

std::optional<std::size_t> find_invalid_utf8(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = utf8_length(text.substr(at));
    if (length == 0) return at;
    at += length;
  }
  return std::nullopt;
}

std::string escape_for_people(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = utf8_length(text.substr(at));
    const auto byte = static_cast<unsigned char>(text[at]);
    const bool c1_control = length == 2 && byte == 0xc2 && static_cast<unsigned char>(text[at + 1]) < 0xa0;
    if (length == 0 || c1_control || (byte < 0x20 && byte != '\t') || byte == 0x7f) {
      for (std::size_t i = 0; i < std::max<std::size_t>(length, 1); ++i)
        out += fmt::format("\\x{:02x}", static_cast<unsigned char>(text[at + i]));
    } else {
      out.append(text.substr(at, length));
    }
    at += std::max<std::size_t>(length, 1);
  }
  return out;
}

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  for (std::size_t at = 0;;) {
    const std::size_t end = text.find(separator, at);
    parts.emplace_back(text.substr(at, end - at));
    if (end == std::string_view::npos) return parts;
    at = end + 1;
  }
}

std::string join(std::span<const std::string> parts, std::string_view separator) {
  std::string text;
  for (const auto& part : parts)
    text.append(text.empty() && &part == parts.data() ? "" : separator).append(part);
  return text;
}

std::optional<std::string> did_you_mean(std::string_view word, std::span<const std::string> candidates) {
  std::optional<std::string> best;
  std::size_t best_distance = (word.size() <= 3 ? 1 : std::max<std::size_t>(2, word.size() / 3)) + 1;
  for (const auto& candidate : candidates) {
    const std::size_t distance = edit_distance(word, candidate);
    if (distance < best_distance) {
      best_distance = distance;
      best = candidate;
    }
  }
  return best;
}

Result<std::chrono::milliseconds> parse_duration(std::string_view text) {
  const Error wrong = invalid("duration", fmt::format("'{}' is no duration", escape_for_people(text)),
                              "write a number and a unit, such as 500ms, 10s or 1m30s");
  std::string_view rest = text;
  double total = 0;
  if (rest.empty()) return wrong;
  while (!rest.empty()) {
    const auto value = take_number(rest);
    if (!value) return wrong;
    const auto unit_of = [&](std::string_view name, double ms) {
      if (!rest.starts_with(name)) return false;
      rest.remove_prefix(name.size());
      total += *value * ms;
      return true;
    };
    if (!(unit_of("ms", 1) || unit_of("s", 1e3) || unit_of("m", 6e4) || unit_of("h", 3.6e6) ||
          unit_of("d", 8.64e7)))
      return wrong;
  }
  if (total > 3.2e12) return wrong;  // a hundred years
  return std::chrono::milliseconds{std::llround(total)};
}

Result<std::uint64_t> parse_bytes(std::string_view text) {
  const Error wrong = invalid("bytes", fmt::format("'{}' is no size", escape_for_people(text)),
                              "write a number and a unit, such as 256M or 256Mi");
  std::string_view unit = text;
  const auto value = take_number(unit);
  if (!value) return wrong;
  if (unit.starts_with(' ')) unit.remove_prefix(1);
  const std::size_t power = std::string_view("BKMGT").find(unit.empty() ? '?' : unit.front());
  if (power == std::string_view::npos) return wrong;
  unit.remove_prefix(1);
  const bool binary = unit.starts_with('i');
  if (binary) unit.remove_prefix(1);
  if (power > 0 && unit == "B") unit.remove_prefix(1);
  if (!unit.empty() || (power == 0 && binary)) return wrong;
  const double bytes = *value * std::pow(binary ? 1024.0 : 1000.0, static_cast<double>(power));
  if (bytes > 9e18) return wrong;
  return static_cast<std::uint64_t>(std::llround(bytes));
}

Result<std::vector<std::string>> split_shell_words(std::string_view text) {
  std::vector<std::string> words;
  std::optional<std::string> word;
  char quote = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quote == 0 && (c == ' ' || c == '\t' || c == '\n')) {
      if (word) words.push_back(*std::exchange(word, std::nullopt));
    } else if (quote == 0 && (c == '"' || c == '\'')) {
      quote = c;
      if (!word) word.emplace();
    } else if (c == quote) {
      quote = 0;
    } else if (c == '\\' && quote != '\'' && i + 1 < text.size() &&
               (quote == 0 || text[i + 1] == '"' || text[i + 1] == '\\')) {
      if (!word) word.emplace();
      word->push_back(text[++i]);
    } else {
      if (!word) word.emplace();
      word->push_back(c);
    }
  }
  if (quote != 0)
    return invalid("command", fmt::format("the quote {} is never closed", quote),
                   "close it, or write a list of words");
  if (word) words.push_back(*word);
  return words;
}

}  // namespace slipway
