#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace slipway::archive {

/// The rules of a .dockerignore: one pattern a line, `#` comments, `!` takes back, the last match decides;
/// `*` and `?` stay within a part, `**` is any number of parts; a folder that matches takes all inside with
/// it.
class IgnoreRules {
 public:
  explicit IgnoreRules(std::string_view text);
  /// True: ignored, false: taken back, nothing: no rule says anything.
  std::optional<bool> judge(std::string_view path) const;
  bool ignores(std::string_view path) const { return judge(path).value_or(false); }
  /// Some rule takes back: a folder that is ignored may still hold files that are not.
  bool takes_back() const;

 private:
  struct Rule {
    std::vector<std::string> parts;
    bool back = false;
  };
  std::vector<Rule> rules_;
};

/// One part of a path against one part of a pattern: `*`, `?`, `[a-z]`, `[^a]`, `\` before a character.
bool matches_part(std::string_view pattern, std::string_view part);

}  // namespace slipway::archive
