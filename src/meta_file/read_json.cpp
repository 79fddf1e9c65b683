#include <fmt/format.h>

#include <charconv>
#include <optional>

#include "base/text.hpp"
#include "meta_file/tree_limits.hpp"

namespace slipway::meta_file {
namespace {

// A strict JSON reader (RFC 8259) that knows where it is. Recursion is bounded by ReadLimits::depth.
class JsonReader {
 public:
  JsonReader(std::string_view text, const ReadLimits& limits) : text_(text), limits_(limits) {}

  Read<Node> read() {
    skip_space();
    if (at_ == text_.size()) return wrong("the file is empty");
    auto root = value(1);
    if (!root) return root;
    skip_space();
    if (at_ != text_.size()) return wrong("there is more text after the end of the value");
    return root;
  }

 private:
  Place here() const { return {line_, at_ - line_start_ + 1}; }
  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  std::unexpected<Misread> wrong(std::string message, std::string hint = {}) const {
    return misread("meta.syntax", std::move(message), here(), std::move(hint));
  }

  void skip_space() {
    for (; at_ < text_.size() && std::string_view(" \t\n\r").contains(text_[at_]); ++at_)
      if (text_[at_] == '\n') {
        ++line_;
        line_start_ = at_ + 1;
      }
  }
  bool take(char c) {
    if (peek() != c) return false;
    ++at_;
    return true;
  }

  Read<Node> value(std::size_t depth) {
    const Place place = here();
    if (auto counted = limits_.add_node(depth, place); !counted) return std::unexpected(counted.error());
    Node node;
    node.place = place;
    switch (peek()) {
      case '{':
        node.kind = Node::Kind::kMap;
        return map(std::move(node), depth);
      case '[':
        node.kind = Node::Kind::kSequence;
        return sequence(std::move(node), depth);
      case '"':
        node.quoted = true;
        if (auto text = string(); text) {
          node.text = std::move(*text);
        } else {
          return std::unexpected(text.error());
        }
        return node;
      default:
        return plain(std::move(node));
    }
  }

  Read<Node> map(Node node, std::size_t depth) {
    ++at_;
    skip_space();
    if (take('}')) return node;
    for (;;) {
      const Place place = here();
      if (peek() != '"') return wrong(unfinished("a key in double quotes was expected", node));
      auto key = string();
      if (!key) return std::unexpected(key.error());
      skip_space();
      if (!take(':')) return wrong("':' was expected after the key");
      skip_space();
      auto item = value(depth + 1);
      if (!item) return item;
      node.entries.push_back({std::move(*key), place, std::move(*item)});
      skip_space();
      if (take('}')) return complete(std::move(node));
      if (!take(',')) return wrong(unfinished("',' or '}' was expected", node));
      skip_space();
      if (peek() == '}') return wrong("a comma before '}'", "remove the comma");
    }
  }

  static Read<Node> complete(Node map) {
    if (auto unique = TreeLimits::check_keys(map); !unique) return std::unexpected(unique.error());
    return map;
  }

  Read<Node> sequence(Node node, std::size_t depth) {
    ++at_;
    skip_space();
    if (take(']')) return node;
    for (;;) {
      auto item = value(depth + 1);
      if (!item) return item;
      node.items.push_back(std::move(*item));
      skip_space();
      if (take(']')) return node;
      if (!take(',')) return wrong(unfinished("',' or ']' was expected", node));
      skip_space();
      if (peek() == ']') return wrong("a comma before ']'", "remove the comma");
    }
  }

  static std::string unfinished(std::string message, const Node& open) {
    return fmt::format("{} (the bracket was opened on line {}, column {})", message, open.place.line,
                       open.place.column);
  }

  Read<Node> plain(Node node) {
    const std::size_t end = std::min(text_.find_first_of(" \t\n\r,:[]{}\"", at_), text_.size());
    const std::string_view word = text_.substr(at_, end - at_);
    if (word != "true" && word != "false" && word != "null" && !is_number(word)) {
      if (word.starts_with('\'')) return wrong("text must be in double quotes");
      if (word.starts_with('/') || word.starts_with('#'))
        return wrong("JSON has no comments", "use service.yaml");
      return wrong(word.empty() ? "a value was expected"
                                : fmt::format("'{}' is no JSON value", escape_for_people(word)));
    }
    at_ = end;
    node.text = word;
    return node;
  }

  // The grammar of RFC 8259, and within the range of a double.
  static bool is_number(std::string_view text) {
    if (text.starts_with('-')) text.remove_prefix(1);
    if (text.empty() || text[0] < '0' || text[0] > '9') return false;
    if (text.size() > 1 && text[0] == '0' && text[1] >= '0' && text[1] <= '9') return false;
    if (text.contains(".e") || text.contains(".E") || text.ends_with('.')) return false;
    double value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc{} && end == text.data() + text.size();
  }

  Read<std::string> string() {
    const Place opened = here();
    std::string out;
    for (++at_; at_ < text_.size() && text_[at_] != '"';) {
      if (text_[at_] == '\n')
        return misread("meta.syntax", "a line end inside quotes; write \\n, or close the quote", opened);
      if (text_[at_] != '\\') {
        out.push_back(text_[at_++]);
      } else if (auto escaped = escape(out); !escaped) {
        return std::unexpected(escaped.error());
      }
    }
    if (!take('"')) return misread("meta.syntax", "a quote is never closed", opened);
    if (auto clean = TreeLimits::check_text(out, opened); !clean) return std::unexpected(clean.error());
    return out;
  }

  Read<void> escape(std::string& out) {
    constexpr std::string_view kLetters = "\"\\/bfnrt";
    constexpr std::string_view kMeanings = "\"\\/\b\f\n\r\t";
    const std::size_t place = at_ + 1;
    const char letter = place < text_.size() ? text_[place] : '\0';
    if (letter == 'u') return unicode_escape(out);
    const std::size_t index = kLetters.find(letter);
    if (letter == '\0' || index == std::string_view::npos) return wrong("an unknown escape in a string");
    out.push_back(kMeanings[index]);
    at_ += 2;
    return {};
  }

  std::optional<unsigned> four_hex_digits() {
    if (!text_.substr(at_).starts_with("\\u") || at_ + 6 > text_.size()) return std::nullopt;
    unsigned value = 0;
    const char* first = text_.data() + at_ + 2;
    const auto [end, error] = std::from_chars(first, first + 4, value, 16);
    if (error != std::errc{} || end != first + 4) return std::nullopt;
    at_ += 6;
    return value;
  }

  Read<void> unicode_escape(std::string& out) {
    auto first = four_hex_digits();
    if (!first) return wrong("\\u needs four hexadecimal digits");
    unsigned code = *first;
    if (code >= 0xd800 && code < 0xdc00) {
      const auto second = four_hex_digits();
      if (!second || *second < 0xdc00 || *second > 0xdfff) return wrong("half of a surrogate pair");
      code = 0x10000 + ((code - 0xd800) << 10) + (*second - 0xdc00);
    } else if (code >= 0xdc00 && code < 0xe000) {
      return wrong("half of a surrogate pair");
    }
    append_utf8(out, code);
    return {};
  }

  static void append_utf8(std::string& out, unsigned code) {
    const auto tail = [&](unsigned shift) {
      out.push_back(static_cast<char>(0x80 | ((code >> shift) & 0x3f)));
    };
    if (code < 0x80) {
      out.push_back(static_cast<char>(code));
    } else if (code < 0x800) {
      out.push_back(static_cast<char>(0xc0 | (code >> 6)));
      tail(0);
    } else if (code < 0x10000) {
      out.push_back(static_cast<char>(0xe0 | (code >> 12)));
      tail(6), tail(0);
    } else {
      out.push_back(static_cast<char>(0xf0 | (code >> 18)));
      tail(12), tail(6), tail(0);
    }
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t line_ = 1;
  std::size_t line_start_ = 0;
  TreeLimits limits_;
};

}  // namespace

Read<Node> read_json(std::string_view text, const ReadLimits& limits) {
  return JsonReader(text, limits).read();
}

}  // namespace slipway::meta_file
