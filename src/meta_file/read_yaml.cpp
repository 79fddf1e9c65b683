#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <optional>
#include <sstream>

#include "meta_file/tree_limits.hpp"

namespace slipway::meta_file {
namespace {

Place place_of(const YAML::Mark& mark) {
  return {static_cast<std::size_t>(mark.line + 1), static_cast<std::size_t>(mark.column + 1)};
}

// Leaves yaml-cpp's parser, which has no other way to stop it.
struct Stop {
  Misread why;
};

void must(Read<void> checked) {
  if (!checked) throw Stop{checked.error()};
}
[[noreturn]] void stop(std::string code, std::string message, Place place, std::string hint = {}) {
  throw Stop{misread(std::move(code), std::move(message), place, std::move(hint)).error()};
}

// Builds the tree from events: aliases, tags and depth are refused before anything is built from them.
class TreeBuilder final : public YAML::EventHandler {
 public:
  explicit TreeBuilder(const ReadLimits& limits) : limits_(limits) {}

  std::optional<Node> root;
  YAML::Mark last_mark = YAML::Mark::null_mark();

  // Where the innermost bracket that is still open was opened.
  std::optional<Place> open_bracket() const {
    for (auto level = open_.rbegin(); level != open_.rend(); ++level)
      if (level->flow) return level->node.place;
    return std::nullopt;
  }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (root)
      stop("meta.multiple_documents", "a second document starts here", place_of(mark), "keep one of them");
  }
  void OnDocumentEnd() override {}
  void OnAnchor(const YAML::Mark& mark, const std::string& /*name*/) override {
    refuse_alias(place_of(mark));
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override { refuse_alias(place_of(mark)); }
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override { OnScalar(mark, "?", anchor, ""); }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    begin(mark, tag, anchor);
    must(TreeLimits::check_text(value, place_of(mark)));
    Node node;
    node.place = place_of(mark);
    node.text = value;
    node.quoted = tag == "!";
    add(std::move(node));
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value style) override {
    open(Node::Kind::kSequence, mark, tag, anchor, style);
  }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value style) override {
    open(Node::Kind::kMap, mark, tag, anchor, style);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapEnd() override { close(); }

 private:
  struct Level {
    Node node;
    bool flow = false;
    std::optional<Node> key;  // of a map, waiting for its value
  };

  [[noreturn]] static void refuse_alias(Place place) {
    stop("meta.yaml_alias_not_allowed", "anchors (&) and aliases (*) are not allowed", place,
         "write the value out, or put it in quotes if it is text");
  }

  void begin(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor) {
    last_mark = mark;
    if (anchor != 0) refuse_alias(place_of(mark));
    if (!tag.empty() && tag != "?" && tag != "!")
      stop("meta.yaml_tag_not_allowed", "tags (!) are not allowed", place_of(mark),
           "remove the tag, or put the value in quotes if it is text");
    must(limits_.add_node(open_.size() + 1, place_of(mark)));
  }

  void open(Node::Kind kind, const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
            YAML::EmitterStyle::value style) {
    begin(mark, tag, anchor);
    Level level;
    level.node.kind = kind;
    level.node.place = place_of(mark);
    level.flow = style == YAML::EmitterStyle::Flow;
    open_.push_back(std::move(level));
  }

  void close() {
    Node done = std::move(open_.back().node);
    must(TreeLimits::check_keys(done));
    open_.pop_back();
    add(std::move(done));
  }

  void add(Node node) {
    if (open_.empty()) {
      root = std::move(node);
      return;
    }
    Level& level = open_.back();
    if (level.node.is_sequence()) {
      level.node.items.push_back(std::move(node));
    } else if (!level.key) {
      if (!node.is_scalar() || node.is_null())
        stop("meta.syntax", "a key must be plain text", node.place, "write `key: value`");
      level.key = std::move(node);
    } else {
      if (node.is_null()) node.place = level.key->place;  // nothing has no place of its own
      level.node.entries.push_back({std::move(level.key->text), level.key->place, std::move(node)});
      level.key.reset();
    }
  }

  TreeLimits limits_;
  std::vector<Level> open_;
};

// The parser stopped at the end of the text inside quotes: they opened after the last value that was
// complete.
std::optional<std::size_t> line_of_open_quote(std::string_view text, const YAML::Mark& last) {
  const std::size_t from = last.is_null() ? 0 : static_cast<std::size_t>(last.pos);
  for (std::size_t at = text.find_first_of("\"'", from); at != std::string_view::npos;
       at = text.find_first_of("\"'", at + 1)) {
    const bool starts_value = at == 0 || std::string_view(" \n[{,").contains(text[at - 1]);
    const std::size_t end = text.find(text[at], at + 1);
    if (starts_value && end == std::string_view::npos)
      return 1 + static_cast<std::size_t>(
                     std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(at), '\n'));
    if (starts_value) at = end;
  }
  return std::nullopt;
}

Misread syntax_error(const YAML::ParserException& error, const TreeBuilder& tree, std::string_view text) {
  Place place = error.mark.is_null() ? Place{1, 1} : place_of(error.mark);
  if (error.msg.starts_with("the referenced anchor"))
    return misread("meta.yaml_alias_not_allowed", "aliases (*) are not allowed", place, "write the value out")
        .error();
  std::string message = error.msg;
  std::string hint;
  if (error.msg.contains("EOF in scalar")) {
    message = "a quote is never closed";
    if (const auto line = line_of_open_quote(text, tree.last_mark)) {
      message += fmt::format("; it was opened on line {}", *line);
      place = {*line, 1};
    }
  } else if (const auto bracket = tree.open_bracket()) {
    message += fmt::format("; the bracket was opened on line {}, column {}", bracket->line, bracket->column);
  }
  if (line_of(text, place.line).starts_with('\t')) hint = "indent with spaces, YAML allows no tabs there";
  return misread("meta.syntax", std::move(message), place, std::move(hint)).error();
}

}  // namespace

Read<Node> read_yaml(const std::string& text, const ReadLimits& limits) {
  TreeBuilder tree(limits);
  try {
    // yaml-cpp takes a quote that is still open after the last line end for closed; not so if a comment
    // follows.
    std::istringstream stream(text + "\n#");
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(tree)) {
    }
  } catch (const Stop& stopped) {
    return std::unexpected(stopped.why);
  } catch (const YAML::ParserException& error) {
    return std::unexpected(syntax_error(error, tree, text));
  }
  if (!tree.root || tree.root->is_null())
    return misread("meta.empty", "the file is empty", {1, 1},
                   "the smallest service is `name`, `runtime`, `command`");
  return std::move(*tree.root);
}

}  // namespace slipway::meta_file
