#include "meta_file/schema_check.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <map>
#include <nlohmann/json.hpp>
#include <regex>

#include "base/text.hpp"

namespace slipway::meta_file {
namespace {

using Json = nlohmann::json;
using Names = std::vector<std::string>;

std::string text_of(const Json& schema, const char* keyword) {
  return schema.value(keyword, std::string());
}

Names types_of(const Json& schema) {
  const auto type = schema.find("type");
  if (type == schema.end()) return {};
  return type->is_array() ? type->get<Names>() : Names{type->get<std::string>()};
}

bool has(const Names& names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

// Text and number (or boolean) both allowed: the value is taken as it was written, whatever it means
// elsewhere.
bool taken_as_written(const Names& types) {
  return has(types, "string") && types.size() > 1;
}

bool is_of_type(const Node& node, const Names& types) {
  if (types.empty()) return true;
  if (node.is_map()) return has(types, "object");
  if (node.is_sequence()) return has(types, "array");
  switch (meaning_of(node)) {
    case Meaning::kText:
      return has(types, "string");
    case Meaning::kBoolean:
      return has(types, "boolean");
    case Meaning::kWord:
      return has(types, "boolean") && taken_as_written(types);
    case Meaning::kInteger:
      return has(types, "integer") || has(types, "number");
    case Meaning::kNumber:
      return has(types, "number");
    case Meaning::kOddNumber:
      return has(types, "number") && taken_as_written(types);
    case Meaning::kNull:
      return false;
  }
  return false;
}

std::string what_is(const Node& node) {
  if (node.is_map()) return "a map";
  if (node.is_sequence()) return "a list";
  switch (meaning_of(node)) {
    case Meaning::kText:
      return "text";
    case Meaning::kNull:
      return "nothing";
    case Meaning::kBoolean:
    case Meaning::kWord:
      return "a truth value to YAML";
    default:
      return "a number";
  }
}

std::string wanted(const Names& types) {
  static const std::map<std::string, std::string> kWords{
      {"object", "a map"},           {"array", "a list"},    {"string", "text"},
      {"integer", "a whole number"}, {"number", "a number"}, {"boolean", "true or false"}};
  Names words;
  for (const auto& type : types) words.push_back(kWords.at(type));
  return fmt::format("{}", fmt::join(words, " or "));
}

std::size_t characters(std::string_view utf8) {
  return static_cast<std::size_t>(std::ranges::count_if(utf8, [](char c) { return (c & 0xc0) != 0x80; }));
}

class Walk {
 public:
  explicit Walk(const Json& schema) : root_(schema) {}

  std::vector<Problem> problems;

  void check(const Json& given, const Node& node, const std::string& path) {
    const Json& schema = resolve(given);
    const Names types = types_of(schema);
    if (!is_of_type(node, types)) return wrong_type(schema, node, path, types);
    check_values(schema, node, path);
    if (node.is_scalar()) check_scalar(schema, node, path, types);
    if (node.is_sequence()) check_items(schema, node, path);
    if (node.is_map()) check_map(schema, node, path);
    if (const auto one_of = schema.find("oneOf"); one_of != schema.end())
      check_one_of(schema, *one_of, node, path);
    for (const auto& part : schema.value("allOf", Json::array())) check(part, node, path);
    if (const auto condition = schema.find("if"); condition != schema.end() && holds(*condition, node))
      check(schema.at("then"), node, path);
    if (const auto no = schema.find("not"); no != schema.end()) check_not(*no, node);
  }

 private:
  const Json& resolve(const Json& schema) const {
    const auto reference = schema.find("$ref");
    if (reference == schema.end()) return schema;
    return root_.at(Json::json_pointer(reference->get<std::string>().substr(1)));
  }

  bool holds(const Json& schema, const Node& node) const {
    Walk attempt(root_);
    attempt.check(schema, node, "");
    return attempt.problems.empty();
  }

  void add(std::string code, std::string message, const Node& node, std::string hint) {
    problems.push_back({std::move(code), std::move(message), std::move(hint), node.place, &node});
  }
  void add_by(const Json& schema, std::string_view code, std::string message, const Node& node) {
    const std::string own = text_of(schema, "x-code");
    add(own.empty() ? std::string(code) : own, std::move(message), node, text_of(schema, "x-hint"));
  }

  void wrong_type(const Json& schema, const Node& node, const std::string& path, const Names& types) {
    std::string hint = text_of(schema, "x-hint");
    const bool needs_unit = text_of(schema, "x-code") == "meta.range";
    const Meaning meaning = node.is_scalar() ? meaning_of(node) : Meaning::kText;
    if (meaning != Meaning::kText && meaning != Meaning::kNull && has(types, "string") && !needs_unit)
      hint = fmt::format("write it in quotes: \"{}\"", escape_for_people(node.text));
    if (meaning == Meaning::kWord && types == Names{"boolean"}) hint = "write true or false";
    if (meaning == Meaning::kOddNumber && !has(types, "string"))
      hint = "write a decimal number without leading zeros or underscores";
    add(needs_unit && node.is_scalar() ? "meta.range" : "meta.type",
        fmt::format("'{}' must be {}, this is {}", path, wanted(types), what_is(node)), node,
        std::move(hint));
  }

  void check_values(const Json& schema, const Node& node, const std::string& path) {
    Names allowed;
    if (const auto value = schema.find("const"); value != schema.end()) allowed.push_back(as_text(*value));
    for (const auto& value : schema.value("enum", Json::array())) allowed.push_back(as_text(value));
    if (allowed.empty() || (node.is_scalar() && has(allowed, node.text))) return;
    const auto near = did_you_mean(node.text, allowed);
    add("meta.enum", fmt::format("'{}' must be {}", path, fmt::join(allowed, " or ")), node,
        near ? fmt::format("did you mean '{}'?", *near) : "");
  }
  static std::string as_text(const Json& value) {
    return value.is_string() ? value.get<std::string>() : value.dump();
  }

  void check_scalar(const Json& schema, const Node& node, const std::string& path, const Names& types) {
    const bool as_number = has(types, "number") || has(types, "integer");
    const Meaning meaning = meaning_of(node);
    if (as_number && (meaning == Meaning::kInteger || meaning == Meaning::kNumber))
      check_number(schema, node, path, types);
    if (has(types, "string")) check_text(schema, node, node.text, path);
  }

  void check_number(const Json& schema, const Node& node, const std::string& path, const Names& types) {
    const bool special = node.text.find_first_of("nNiI") != std::string::npos;
    const double value = special ? NAN : std::strtod(node.text.c_str(), nullptr);
    if (!std::isfinite(value)) {
      if (!taken_as_written(types))
        add_by(schema, "meta.range", fmt::format("'{}' must be a finite number", path), node);
      return;
    }
    const auto bound = [&](const char* keyword, auto broken, std::string_view words) {
      const auto limit = schema.find(keyword);
      if (limit != schema.end() && broken(value, limit->get<double>()))
        add_by(schema, "meta.range", fmt::format("'{}' must be {} {}", path, words, limit->dump()), node);
    };
    bound("minimum", std::less<>(), "at least");
    bound("maximum", std::greater<>(), "at most");
    bound("exclusiveMinimum", std::less_equal<>(), "more than");
  }

  // False if a limit is broken. A pattern sees only text of bounded length: std::regex recurses.
  bool check_text(const Json& schema, const Node& node, const std::string& text, const std::string& path) {
    const std::size_t length = characters(text);
    const std::size_t most = schema.value("maxLength", std::size_t{1024});
    const std::size_t before = problems.size();
    if (length > most) {
      add("meta.too_long", fmt::format("'{}' has {} characters, {} are allowed", path, length, most), node,
          "");
    } else if (length < schema.value("minLength", std::size_t{0})) {
      add_by(schema, "meta.range", fmt::format("'{}' must not be empty", path), node);
    } else if (const auto pattern = schema.find("pattern"); pattern != schema.end()) {
      if (!std::regex_search(text, std::regex(pattern->get<std::string>(), std::regex::ECMAScript)))
        add_by(schema, "meta.format",
               fmt::format("'{}' cannot be '{}'", path, escape_for_people(text.substr(0, 80))), node);
    }
    return problems.size() == before;
  }

  void check_items(const Json& schema, const Node& node, const std::string& path) {
    const std::size_t count = node.items.size();
    if (count < schema.value("minItems", std::size_t{0}))
      add_by(schema, "meta.range", fmt::format("'{}' must not be empty", path), node);
    if (const auto most = schema.find("maxItems"); most != schema.end() && count > most->get<std::size_t>())
      return add_by(schema, "meta.range",
                    fmt::format("'{}' has {} entries, {} are allowed", path, count, most->dump()), node);
    const auto items = schema.find("items");
    if (items == schema.end()) return;
    for (std::size_t i = 0; i < count; ++i) check(*items, node.items[i], fmt::format("{}[{}]", path, i));
  }

  void check_map(const Json& schema, const Node& node, const std::string& path) {
    if (node.entries.size() < schema.value("minProperties", std::size_t{0}))
      add_by(schema, "meta.range", fmt::format("'{}' must not be empty", path), node);
    if (const auto most = schema.find("maxProperties");
        most != schema.end() && node.entries.size() > most->get<std::size_t>())
      return add_by(
          schema, "meta.range",
          fmt::format("'{}' has {} entries, {} are allowed", path, node.entries.size(), most->dump()), node);
    for (const auto& name : schema.value("required", Names{}))
      if (node.find(name) == nullptr)
        problems.push_back({"meta.missing_field",
                            path.empty() ? fmt::format("'{}' is missing", name)
                                         : fmt::format("'{}' has no '{}'", path, name),
                            "", node.place, nullptr});
    for (const auto& entry : node.entries) check_entry(schema, entry, path);
  }

  void check_entry(const Json& schema, const Node::Entry& entry, const std::string& path) {
    const std::string shown = escape_for_people(entry.key.substr(0, 80));
    const std::string inner = path.empty() ? shown : path + "." + shown;
    const auto properties = schema.find("properties");
    if (properties != schema.end() && properties->contains(entry.key))
      return check(properties->at(entry.key), entry.value, inner);
    if (const auto patterns = schema.find("patternProperties"); patterns != schema.end())
      for (const auto& [pattern, part] : patterns->items())
        if (entry.key.size() <= 1024 && std::regex_search(entry.key, std::regex(pattern)))
          return check(part, entry.value, inner);
    const auto names = schema.find("propertyNames");
    if (names != schema.end()) {
      Node key;
      key.place = entry.key_place;
      key.quoted = true;
      if (!check_text(*names, key, entry.key, inner)) {
        problems.back().node = nullptr;
        return;
      }
    }
    const auto others = schema.find("additionalProperties");
    if (others == schema.end()) return;
    if (others->is_object()) return check(*others, entry.value, inner);
    unknown_key(schema, entry, shown);
  }

  void unknown_key(const Json& schema, const Node::Entry& entry, const std::string& shown) {
    Names known;
    for (const auto& [name, part] : schema.at("properties").items()) known.push_back(name);
    const auto near = did_you_mean(entry.key, known);
    problems.push_back({"meta.unknown_key", fmt::format("unknown key '{}'", shown),
                        near ? fmt::format("did you mean '{}'?", *near)
                             : fmt::format("known here: {}", fmt::join(known, " ")),
                        entry.key_place, nullptr});
  }

  // The alternatives of this schema differ in their type, or only in the one key that they require.
  void check_one_of(const Json& schema, const Json& alternatives, const Node& node, const std::string& path) {
    Names keys;
    Names types;
    for (const auto& given : alternatives) {
      Json alternative = resolve(given);
      if (alternative.contains("required") && !alternative.contains("type")) {
        keys.push_back(alternative.at("required").at(0));
        continue;
      }
      const Names own = alternative.contains("const") ? Names{"string"} : types_of(alternative);
      types.insert(types.end(), own.begin(), own.end());
      if (!is_of_type(node, own)) continue;
      for (const char* note : {"x-code", "x-hint"})
        if (schema.contains(note) && !alternative.contains(note)) alternative[note] = schema.at(note);
      return check(alternative, node, path);
    }
    if (keys.empty()) return wrong_type(schema, node, path, types);
    const auto present =
        std::ranges::count_if(keys, [&](const auto& key) { return node.find(key) != nullptr; });
    if (present == 0)
      problems.push_back({"meta.missing_field",
                          fmt::format("'{}' needs one of {}", path, fmt::join(keys, ", ")), "", node.place,
                          nullptr});
    if (present > 1)
      problems.push_back({"meta.conflict",
                          fmt::format("'{}' may have only one of {}", path, fmt::join(keys, ", ")),
                          "keep one of them", node.place, nullptr});
  }

  // `not` is used for keys that exclude each other.
  void check_not(const Json& schema, const Node& node) {
    if (!holds(schema, node)) return;
    const Names keys = schema.at("required");
    const Node::Entry* last = nullptr;
    for (const auto& key : keys)
      if (const auto* entry = node.find_entry(key);
          last == nullptr || entry->key_place.line > last->key_place.line)
        last = entry;
    problems.push_back({"meta.conflict",
                        keys.size() > 1 ? fmt::format("{} exclude each other", fmt::join(keys, " and "))
                                        : fmt::format("'{}' cannot be used in this kind of service", keys[0]),
                        "remove one of them", last->key_place, nullptr});
  }

  const Json& root_;
};

}  // namespace

std::vector<Problem> explain_by_schema(const Json& schema, const Node& root) {
  Walk walk(schema);
  walk.check(schema, root, "");
  return std::move(walk.problems);
}

const std::vector<std::string>& known_schema_keywords() {
  static const std::vector<std::string> kKeywords{"$schema",
                                                  "$id",
                                                  "title",
                                                  "description",
                                                  "examples",
                                                  "default",
                                                  "definitions",
                                                  "x-code",
                                                  "x-hint",
                                                  "$ref",
                                                  "type",
                                                  "const",
                                                  "enum",
                                                  "minimum",
                                                  "maximum",
                                                  "exclusiveMinimum",
                                                  "minLength",
                                                  "maxLength",
                                                  "pattern",
                                                  "items",
                                                  "minItems",
                                                  "maxItems",
                                                  "properties",
                                                  "patternProperties",
                                                  "additionalProperties",
                                                  "propertyNames",
                                                  "required",
                                                  "minProperties",
                                                  "maxProperties",
                                                  "oneOf",
                                                  "allOf",
                                                  "not",
                                                  "if",
                                                  "then"};
  return kKeywords;
}

}  // namespace slipway::meta_file
