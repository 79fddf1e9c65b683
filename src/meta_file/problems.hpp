#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "meta_file/schema_check.hpp"

namespace slipway::meta_file {

/// "1m30s"; only for people.
std::string show(std::chrono::milliseconds duration);

/// What was found wrong so far. A value is blamed once: later checks leave it alone.
class Problems {
 public:
  void add(std::vector<Problem> found);
  void add(std::string code, const Node& node, std::string message, std::string hint = {});
  void missing(const Node& parent, std::string message, std::string hint = {});
  bool blamed(const Node& node) const;
  const std::vector<Problem>& all() const { return all_; }

 private:
  std::vector<Problem> all_;
};

/// The values of one map, as far as they can be used: absent, of another shape or blamed already = nothing.
class Fields {
 public:
  /// `path` names the map in messages ("" for the root); all three must outlive this.
  Fields(const Node& map, std::string path, Problems& problems)
      : map_(map), path_(std::move(path)), problems_(problems) {}

  const Node& node() const { return map_; }
  Problems& problems() const { return problems_; }
  std::string name_of(std::string_view key) const;

  const Node* scalar(std::string_view key) const;
  const Node* list(std::string_view key) const;
  std::optional<Fields> map(std::string_view key) const;

  std::string text(std::string_view key) const;
  bool boolean(std::string_view key, bool otherwise) const;
  std::uint32_t number(std::string_view key, std::uint32_t otherwise) const;
  std::optional<double> real(std::string_view key) const;
  /// Outside of [least, most]: meta.range.
  std::chrono::milliseconds duration(std::string_view key, std::chrono::milliseconds otherwise,
                                     std::chrono::milliseconds least, std::chrono::milliseconds most) const;
  std::vector<std::string> texts(std::string_view key) const;
  std::map<std::string, std::string> text_map(std::string_view key) const;
  /// Words of a command: a list as it is, text split like a shell does (meta.type if a quote is not closed).
  std::vector<std::string> words(std::string_view key) const;

 private:
  const Node* usable(std::string_view key, Node::Kind kind) const;
  const Node& map_;
  std::string path_;
  Problems& problems_;
};

}  // namespace slipway::meta_file
