#include "adapters/archive/ignore_file.hpp"

#include <algorithm>
#include <optional>
#include <tuple>

#include "base/text.hpp"

namespace slipway::archive {
namespace {

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\r");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

// Whether `c` is in the class at the start of `pattern` ("[a-z]..."), and what follows it; nothing if the
// class is never closed: then '[' is an ordinary character.
struct ClassMatch {
  bool found;
  std::string_view rest;
};
std::optional<ClassMatch> match_class(std::string_view pattern, char c) {
  std::size_t i = 1;
  const bool negated = i < pattern.size() && (pattern[i] == '^' || pattern[i] == '!');
  if (negated) ++i;
  bool found = false;
  for (bool first = true; i < pattern.size() && (first || pattern[i] != ']'); first = false) {
    const char low = pattern[i++];
    char high = low;
    if (i + 1 < pattern.size() && pattern[i] == '-' && pattern[i + 1] != ']') {
      high = pattern[i + 1];
      i += 2;
    }
    found = found || (low <= c && c <= high);
  }
  if (i >= pattern.size()) return std::nullopt;
  return ClassMatch{found != negated, pattern.substr(i + 1)};
}

// What is left of `pattern` after its first element took `c`; nothing if it does not take it.
std::optional<std::string_view> take_one(std::string_view pattern, char c) {
  if (pattern.empty()) return std::nullopt;
  if (pattern[0] == '?') return pattern.substr(1);
  if (pattern[0] == '[')
    if (const auto match = match_class(pattern, c))
      return match->found ? std::optional(match->rest) : std::nullopt;
  if (pattern[0] == '\\' && pattern.size() > 1) pattern.remove_prefix(1);
  return pattern[0] == c ? std::optional(pattern.substr(1)) : std::nullopt;
}

// Does `pattern` match the first parts of `path`, all or some of them (a folder above)? One row of a table
// for each part of the pattern: no pattern makes it slow.
bool matches_path_or_folder(const std::vector<std::string>& pattern, const std::vector<std::string>& path) {
  std::vector<char> reachable(path.size() + 1, 0);
  reachable[0] = 1;
  for (const auto& part : pattern) {
    std::vector<char> next(path.size() + 1, 0);
    for (std::size_t at = 0; at <= path.size(); ++at) {
      if (reachable[at] == 0) continue;
      if (part == "**") {
        std::fill(next.begin() + static_cast<std::ptrdiff_t>(at), next.end(), 1);
        break;
      }
      if (at < path.size() && matches_part(part, path[at])) next[at + 1] = 1;
    }
    reachable = std::move(next);
  }
  return std::ranges::find(reachable.begin() + 1, reachable.end(), 1) != reachable.end();
}

}  // namespace

bool matches_part(std::string_view pattern, std::string_view part) {
  std::optional<std::pair<std::string_view, std::string_view>> star;  // what follows it, and where it stands
  while (!part.empty() || !pattern.empty()) {
    if (pattern.starts_with('*')) {
      star = {pattern.substr(1), part};
      pattern.remove_prefix(1);
      continue;
    }
    if (const auto rest = part.empty() ? std::nullopt : take_one(pattern, part[0])) {
      pattern = *rest;
      part.remove_prefix(1);
      continue;
    }
    if (!star || star->second.empty()) return false;
    star->second.remove_prefix(1);
    std::tie(pattern, part) = *star;
  }
  return true;
}

IgnoreRules::IgnoreRules(std::string_view text) {
  for (const auto& line : split(text, '\n')) {
    std::string_view pattern = line;
    if (pattern.starts_with('#')) continue;
    pattern = trimmed(pattern);
    Rule rule;
    if (pattern.starts_with('!')) {
      rule.back = true;
      pattern = trimmed(pattern.substr(1));
    }
    for (auto& part : split(pattern, '/'))
      if (!part.empty() && part != ".") rule.parts.push_back(std::move(part));
    if (!rule.parts.empty()) rules_.push_back(std::move(rule));
  }
}

std::optional<bool> IgnoreRules::judge(std::string_view path) const {
  const auto parts = split(path, '/');
  const auto last = std::ranges::find_if(rules_.rbegin(), rules_.rend(), [&](const Rule& rule) {
    return matches_path_or_folder(rule.parts, parts);
  });
  if (last == rules_.rend()) return std::nullopt;
  return !last->back;
}

bool IgnoreRules::takes_back() const {
  return std::ranges::any_of(rules_, &Rule::back);
}

}  // namespace slipway::archive
