#include "meta_file/document.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/text.hpp"
#include "meta_file/tree_limits.hpp"

namespace slipway::meta_file {
namespace {

constexpr std::size_t kShownLine = 120;

Place place_at(std::string_view text, std::size_t offset) {
  Place place{1, 1};
  for (const char c : text.substr(0, offset)) {
    ++place.column;
    if (c == '\n') place = {place.line + 1, 1};
  }
  return place;
}

// YAML counts CR LF and a lone CR as one line end each; one form spares every later reader the question.
std::string with_unix_line_ends(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\r') {
      out.push_back(text[i]);
    } else {
      out.push_back('\n');
      if (i + 1 < text.size() && text[i + 1] == '\n') ++i;
    }
  }
  return out;
}

bool looks_like_utf16(std::string_view text) {
  if (text.starts_with("\xff\xfe") || text.starts_with("\xfe\xff")) return true;
  return text.size() >= 4 && ((text[0] == 0 && text[2] == 0) || (text[1] == 0 && text[3] == 0));
}

Read<void> check_bytes(std::string_view text, const ReadLimits& limits) {
  if (text.size() > limits.bytes)
    return misread("meta.too_long",
                   fmt::format("the file has {} bytes, {} are allowed", text.size(), limits.bytes), {1, 1});
  if (looks_like_utf16(text))
    return misread("meta.encoding", "the file looks like UTF-16, from byte 0 on", {1, 1}, "save it as UTF-8");
  if (const auto bad = find_invalid_utf8(text))
    return misread("meta.encoding",
                   fmt::format("the file is not UTF-8: byte {} is 0x{:02x}", *bad,
                               static_cast<unsigned char>(text[*bad])),
                   place_at(text, *bad), "save it as UTF-8");
  if (const std::size_t bad = find_control_character(text); bad != std::string_view::npos)
    return misread(
        "meta.control_char",
        fmt::format("a control character (0x{:02x}) at byte {}", static_cast<unsigned char>(text[bad]), bad),
        place_at(text, bad), "remove it");
  return {};
}

bool is_one_of(std::string_view text, std::initializer_list<std::string_view> words) {
  return std::ranges::find(words, text) != words.end();
}

bool all_of(std::string_view text, std::string_view allowed) {
  return !text.empty() && text.find_first_not_of(allowed) == std::string_view::npos;
}

constexpr std::string_view kDigits = "0123456789";

// [-+]? (. digits | digits (. digits*)?) ([eE] [-+]? digits)?, the float of YAML's core schema.
bool is_float(std::string_view text) {
  const std::size_t exponent = text.find_first_of("eE");
  const std::string_view mantissa = text.substr(0, exponent);
  if (exponent != std::string_view::npos) {
    std::string_view power = text.substr(exponent + 1);
    if (power.starts_with('-') || power.starts_with('+')) power.remove_prefix(1);
    if (!all_of(power, kDigits)) return false;
  }
  const std::size_t dot = mantissa.find('.');
  const std::string_view whole = mantissa.substr(0, dot);
  const std::string_view rest = dot == std::string_view::npos ? "" : mantissa.substr(dot + 1);
  if (whole.empty() && rest.empty()) return false;
  return (whole.empty() || all_of(whole, kDigits)) && (rest.empty() || all_of(rest, kDigits));
}

bool is_odd_integer(std::string_view text) {
  if (text.size() > 2 && text[0] == '0' && is_one_of(text.substr(1, 1), {"x", "X", "o", "O", "b", "B"}))
    return all_of(text.substr(2), "0123456789abcdefABCDEF_");
  return text[0] >= '0' && text[0] <= '9' && all_of(text, "0123456789_");
}

}  // namespace

bool Node::is_null() const {
  return is_scalar() && meaning_of(*this) == Meaning::kNull;
}

const Node::Entry* Node::find_entry(std::string_view key) const {
  const auto found = std::ranges::find(entries, key, &Entry::key);
  return found == entries.end() ? nullptr : &*found;
}

const Node* Node::find(std::string_view key) const {
  const Entry* entry = find_entry(key);
  return entry == nullptr ? nullptr : &entry->value;
}

Meaning meaning_of(const Node& scalar) {
  if (scalar.quoted) return Meaning::kText;
  std::string_view text = scalar.text;
  if (is_one_of(text, {"", "~", "null", "Null", "NULL"})) return Meaning::kNull;
  if (is_one_of(text, {"true", "True", "TRUE", "false", "False", "FALSE"})) return Meaning::kBoolean;
  if (is_one_of(text, {"yes", "Yes", "YES", "no", "No", "NO", "on", "On", "ON", "off", "Off", "OFF"}))
    return Meaning::kWord;
  if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
  if (is_one_of(text, {".inf", ".Inf", ".INF", ".nan", ".NaN", ".NAN"})) return Meaning::kNumber;
  if (text.empty()) return Meaning::kText;
  if (all_of(text, kDigits) && (text.size() == 1 || text[0] != '0')) return Meaning::kInteger;
  if (is_odd_integer(text)) return Meaning::kOddNumber;
  return is_float(text) ? Meaning::kNumber : Meaning::kText;
}

Document::Document(std::string file_name, std::string text, Node root)
    : file_name_(std::move(file_name)), text_(std::move(text)), root_(std::move(root)) {}

Result<Document> Document::parse(std::string file_name, std::string_view text, const ReadLimits& limits) {
  const auto failed = [&](Misread wrong) {
    wrong.error.where = fmt::format("{}:{}:{}", file_name, wrong.place.line, wrong.place.column);
    return std::move(wrong.error);
  };
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  if (auto checked = check_bytes(text, limits); !checked) return failed(checked.error());
  std::string clean = with_unix_line_ends(text);
  auto root = file_name.ends_with(".json") ? read_json(clean, limits) : read_yaml(clean, limits);
  if (!root) return failed(root.error());
  return Document(std::move(file_name), std::move(clean), std::move(*root));
}

std::string Document::where(Place place) const {
  return fmt::format("{}:{}:{}", file_name_, place.line, place.column);
}

std::string Document::line_at(Place place) const {
  return line_of(text_, place.line);
}

std::string line_of(std::string_view text, std::size_t line) {
  for (std::size_t at = 0, number = 1; line > 0; ++number) {
    const std::size_t end = text.find_first_of("\r\n", at);
    if (number == line) {
      std::string_view found = text.substr(at, end - at);
      const bool cut = found.size() > kShownLine;
      if (cut) {
        found = found.substr(0, kShownLine);
        if (const auto half = find_invalid_utf8(found)) found = found.substr(0, *half);
      }
      return escape_for_people(found) + (cut ? "..." : "");
    }
    if (end == std::string_view::npos) break;
    at = end + (text.substr(end).starts_with("\r\n") ? 2 : 1);
  }
  return {};
}

std::size_t find_control_character(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if ((byte < 0x20 && byte != '\t' && byte != '\n' && byte != '\r') || byte == 0x7f) return i;
    if (byte == 0xc2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xa0) return i;
    for (const std::string_view hidden :
         {"\u202a", "\u202b", "\u202c", "\u202d", "\u202e", "\u2066", "\u2067", "\u2068", "\u2069"})
      if (byte == 0xe2 && text.substr(i).starts_with(hidden)) return i;
  }
  return std::string_view::npos;
}

Read<void> TreeLimits::add_node(std::size_t depth, Place place) {
  if (depth > limits_.depth)
    return misread("meta.too_deep", fmt::format("nested deeper than {} levels", limits_.depth), place);
  if (++nodes_ > limits_.nodes)
    return misread("meta.too_long", fmt::format("more than {} values in one file", limits_.nodes), place);
  return {};
}

Read<void> TreeLimits::check_text(std::string_view text, Place place) {
  const std::size_t bad = find_control_character(text);
  if (bad == std::string_view::npos) return {};
  return misread(
      "meta.control_char",
      fmt::format("a control character (0x{:02x}) in a value", static_cast<unsigned char>(text[bad])), place,
      "remove it");
}

Read<void> TreeLimits::check_keys(const Node& map) {
  std::vector<const Node::Entry*> sorted;
  for (const auto& entry : map.entries) sorted.push_back(&entry);
  std::ranges::stable_sort(sorted, {},
                           [](const Node::Entry* entry) -> const std::string& { return entry->key; });
  const auto same = [](const Node::Entry* a, const Node::Entry* b) { return a->key == b->key; };
  const auto twice = std::ranges::adjacent_find(sorted, same);
  if (twice == sorted.end()) return {};
  const Node::Entry& first = **twice;
  return misread("meta.duplicate_key",
                 fmt::format("'{}' is written twice, first on line {}", escape_for_people(first.key),
                             first.key_place.line),
                 (*(twice + 1))->key_place, "keep one of them");
}

}  // namespace slipway::meta_file
