#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"
#include "meta_file/spec_reader.hpp"

namespace slipway::meta_file {
namespace {

bool is_name(std::string_view text) {
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  const auto good = [&](char c) { return letter(c) || (c >= '0' && c <= '9'); };
  return !text.empty() && text.size() <= 256 && letter(text[0]) && std::ranges::all_of(text, good);
}

// One file directly in /run/secrets.
bool is_file_name(std::string_view text) {
  const auto good = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("._-").contains(c);
  };
  return !text.empty() && text.size() <= 255 && text != "." && text != ".." &&
         std::ranges::all_of(text, good);
}

}  // namespace

std::vector<SecretNeed> read_secrets(const Fields& root) {
  std::vector<SecretNeed> all;
  const Node* list = root.list("secrets");
  if (list == nullptr) return all;
  Problems& problems = root.problems();
  for (std::size_t i = 0; i < list->items.size(); ++i) {
    const Node& node = list->items[i];
    if (problems.blamed(node) || node.is_sequence()) continue;
    SecretNeed need;
    if (node.is_map()) {
      const Fields fields(node, fmt::format("secrets[{}]", i), problems);
      if (fields.scalar("name") == nullptr) continue;
      need = {fields.text("name"), fields.text("target")};
    } else {
      need.name = node.text;
    }
    const bool own_target = node.is_map() && node.find("target") != nullptr;
    if (!own_target) need.target = need.name;
    if (!is_name(need.name))
      problems.add("meta.secret", node,
                   fmt::format("'{}' is no name of a secret", escape_for_people(need.name.substr(0, 80))),
                   "letters, digits and _, no digit first");
    else if (!is_file_name(need.target))
      problems.add("meta.secret", node,
                   fmt::format("'{}' is no name of a file in /run/secrets",
                               escape_for_people(need.target.substr(0, 80))),
                   "letters, digits and . _ -, no folder");
    else if (std::ranges::find(all, need.target, &SecretNeed::target) != all.end())
      problems.add("meta.secret", node, fmt::format("/run/secrets/{} is written twice", need.target),
                   "give one of them another target");
    all.push_back(std::move(need));
  }
  return all;
}

}  // namespace slipway::meta_file
