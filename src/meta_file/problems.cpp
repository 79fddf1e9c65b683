#include "meta_file/problems.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/text.hpp"

namespace slipway::meta_file {

using std::chrono::milliseconds;

std::string show(milliseconds duration) {
  std::string text;
  auto rest = duration.count();
  for (const auto& [unit, size] : {std::pair{"h", 3'600'000}, {"m", 60'000}, {"s", 1'000}, {"ms", 1}}) {
    if (rest >= size) text += fmt::format("{}{}", rest / size, unit);
    rest %= size;
  }
  return text.empty() ? "0s" : text;
}

void Problems::add(std::vector<Problem> found) {
  std::ranges::move(found, std::back_inserter(all_));
}

void Problems::add(std::string code, const Node& node, std::string message, std::string hint) {
  if (!blamed(node))
    all_.push_back({std::move(code), std::move(message), std::move(hint), node.place, &node});
}

void Problems::missing(const Node& parent, std::string message, std::string hint) {
  all_.push_back({"meta.missing_field", std::move(message), std::move(hint), parent.place, nullptr});
}

bool Problems::blamed(const Node& node) const {
  return std::ranges::find(all_, &node, &Problem::node) != all_.end();
}

std::string Fields::name_of(std::string_view key) const {
  return path_.empty() ? std::string(key) : fmt::format("{}.{}", path_, key);
}

const Node* Fields::usable(std::string_view key, Node::Kind kind) const {
  const Node* value = map_.find(key);
  return value != nullptr && value->kind == kind && !value->is_null() && !problems_.blamed(*value) ? value
                                                                                                   : nullptr;
}

const Node* Fields::scalar(std::string_view key) const {
  return usable(key, Node::Kind::kScalar);
}
const Node* Fields::list(std::string_view key) const {
  return usable(key, Node::Kind::kSequence);
}

std::optional<Fields> Fields::map(std::string_view key) const {
  const Node* value = usable(key, Node::Kind::kMap);
  if (value == nullptr) return std::nullopt;
  return Fields(*value, name_of(key), problems_);
}

std::string Fields::text(std::string_view key) const {
  const Node* value = scalar(key);
  return value == nullptr ? "" : value->text;
}

bool Fields::boolean(std::string_view key, bool otherwise) const {
  const Node* value = scalar(key);
  return value == nullptr ? otherwise : value->text.starts_with('t') || value->text.starts_with('T');
}

std::optional<double> Fields::real(std::string_view key) const {
  const Node* value = scalar(key);
  if (value == nullptr) return std::nullopt;
  std::string_view text = value->text;
  if (text.starts_with('+')) text.remove_prefix(1);
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) {
    problems_.add("meta.range", *value, fmt::format("'{}' is out of range", name_of(key)));
    return std::nullopt;
  }
  return number;
}

std::uint32_t Fields::number(std::string_view key, std::uint32_t otherwise) const {
  const auto value = real(key);
  return value && *value >= 0 && *value <= 4294967295.0 ? static_cast<std::uint32_t>(*value) : otherwise;
}

milliseconds Fields::duration(std::string_view key, milliseconds otherwise, milliseconds least,
                              milliseconds most) const {
  const Node* value = scalar(key);
  if (value == nullptr) return otherwise;
  const auto parsed = parse_duration(value->text);
  if (parsed && *parsed >= least && *parsed <= most) return *parsed;
  problems_.add("meta.range", *value,
                fmt::format("'{}' must be between {} and {}", name_of(key), show(least), show(most)));
  return otherwise;
}

std::vector<std::string> Fields::texts(std::string_view key) const {
  std::vector<std::string> all;
  if (const Node* values = list(key))
    for (const Node& item : values->items)
      if (item.is_scalar()) all.push_back(item.text);
  return all;
}

std::map<std::string, std::string> Fields::text_map(std::string_view key) const {
  std::map<std::string, std::string> all;
  if (const auto values = map(key))
    for (const auto& entry : values->node().entries)
      if (entry.value.is_scalar()) all.emplace(entry.key, entry.value.text);
  return all;
}

std::vector<std::string> Fields::words(std::string_view key) const {
  std::vector<std::string> words = texts(key);
  const Node* value = list(key);
  if (const Node* line = scalar(key)) {
    value = line;
    auto parsed = split_shell_words(line->text);
    if (!parsed) {
      problems_.add("meta.type", *line, fmt::format("'{}': {}", name_of(key), parsed.error().message),
                    parsed.error().hint);
      return {};
    }
    words = std::move(*parsed);
  }
  if (value != nullptr && (words.empty() || words.front().empty()))
    problems_.add("meta.range", *value, fmt::format("the first word of '{}' is empty", name_of(key)),
                  "write the program to run");
  return words;
}

}  // namespace slipway::meta_file
