#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace slipway::meta_file {

/// Where something is written: line and column count from 1, columns in bytes; 0 = nowhere.
struct Place {
  std::size_t line = 0;
  std::size_t column = 0;
};

/// One value of a YAML or JSON text with its place; scalars hold the text as it was written (`010` stays
/// 010).
struct Node {
  enum class Kind { kScalar, kSequence, kMap };
  struct Entry;

  Kind kind = Kind::kScalar;
  Place place;
  std::string text;            ///< scalar: the characters, quotes and escapes resolved
  bool quoted = false;         ///< scalar: in quotes or a block, therefore text whatever it looks like
  std::vector<Node> items;     ///< sequence
  std::vector<Entry> entries;  ///< map, in the order of the file; keys are unique

  bool is_map() const { return kind == Kind::kMap; }
  bool is_sequence() const { return kind == Kind::kSequence; }
  bool is_scalar() const { return kind == Kind::kScalar; }
  /// An unquoted `null`, `~` or nothing at all.
  bool is_null() const;
  /// The value of `key` in a map; nullptr if absent or if this is no map.
  const Node* find(std::string_view key) const;
  const Entry* find_entry(std::string_view key) const;
};

struct Node::Entry {
  std::string key;
  Place key_place;
  Node value;
};

/// What an unquoted scalar would mean to the YAML readers of this world (1.1 and 1.2).
enum class Meaning {
  kText,
  kNull,       ///< ~ null and nothing
  kBoolean,    ///< true false
  kWord,       ///< yes no on off: a boolean to some readers
  kInteger,    ///< plain decimal
  kNumber,     ///< 1.5 1e3 .inf .nan
  kOddNumber,  ///< 010 0x10 0o17 1_000: a number, but which one depends on the reader
};
Meaning meaning_of(const Node& scalar);

struct ReadLimits {
  std::size_t bytes = 64 * 1024;
  std::size_t depth = 32;
  std::size_t nodes = 20'000;
};

/// A whole text as a tree. Pure; keeps the text for showing lines.
class Document {
 public:
  /// Reads JSON if `file_name` ends with ".json", else YAML. `where` of an error is
  /// "<file_name>:line:column". Codes: meta.empty, meta.encoding, meta.control_char, meta.syntax,
  /// meta.duplicate_key, meta.too_long, meta.too_deep, meta.multiple_documents, meta.yaml_alias_not_allowed,
  /// meta.yaml_tag_not_allowed.
  static Result<Document> parse(std::string file_name, std::string_view text, const ReadLimits& limits = {});

  const Node& root() const { return root_; }
  const std::string& file_name() const { return file_name_; }
  /// "service.yaml:12:1"
  std::string where(Place place) const;
  /// The line of `place`, safe to print, cut to 120 characters; empty if there is none.
  std::string line_at(Place place) const;

 private:
  Document(std::string file_name, std::string text, Node root);
  std::string file_name_;
  std::string text_;
  Node root_;
};

/// The same for a text that did not parse: the line named by an error's `where`.
std::string line_of(std::string_view text, std::size_t line);

}  // namespace slipway::meta_file
