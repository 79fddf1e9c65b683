#include "adapters/archive/source_tree.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "adapters/archive/ignore_file.hpp"
#include "adapters/archive/paths.hpp"
#include "adapters/archive/tar_format.hpp"
#include "base/digest.hpp"
#include "base/text.hpp"

namespace slipway::archive {
namespace {

using Kind = SourceEntry::Kind;

constexpr std::array<std::string_view, 2> kMetaNames{"service.yaml", "service.json"};
constexpr std::string_view kIgnoreFile = ".dockerignore";

// Quietly: nobody misses them. The others are said in a warning.
const IgnoreRules& quiet_rules() {
  static const IgnoreRules kRules("**/__pycache__\n**/.DS_Store\n");
  return kRules;
}
const IgnoreRules& warned_rules() {
  static const IgnoreRules kRules(
      "**/.git\n**/.hg\n**/.svn\n**/.venv\n**/.env\n**/id_rsa\n**/id_dsa\n**/id_ecdsa\n**/id_ed25519\n**/"
      "*.pem\n");
  return kRules;
}

Error at(std::string_view path, Error error) {
  error.where = shown(path);
  return error;
}

bool is_dockerfile(std::string_view path) {
  const std::string_view name = path.substr(path.rfind('/') + 1);
  return name == "Dockerfile" || name.starts_with("Dockerfile.") || name.ends_with(".Dockerfile");
}

// The highest folder on the way to `path` that `rules` match, or the path itself: what a warning names.
std::string matched_part(const IgnoreRules& rules, const std::string& path) {
  for (const auto& parent : parents_of(path))
    if (rules.ignores(parent)) return parent;
  return path;
}

}  // namespace

Fate fate_of(std::string_view path, const IgnoreRules& rules) {
  if (std::ranges::find(kMetaNames, path) != kMetaNames.end() || is_dockerfile(path)) return Fate::kKept;
  if (path == ".slipway" || path.starts_with(".slipway/")) return Fate::kIgnored;
  if (const auto said = rules.judge(path)) return *said ? Fate::kIgnored : Fate::kKept;
  if (quiet_rules().ignores(path)) return Fate::kIgnored;
  return warned_rules().ignores(path) ? Fate::kLeftOut : Fate::kKept;
}

void SourceTree::warn(std::string code, std::string_view path, std::string message) {
  constexpr std::size_t kMostWarnings = 50;
  if (warnings_.size() < kMostWarnings)
    warnings_.push_back(at(path, invalid(std::move(code), std::move(message))));
}

Status SourceTree::room_for(std::string_view path, std::uint64_t size) const {
  if (size <= limits_.bytes - bytes_) return {};
  return at(path, invalid("archive.too_large", fmt::format("more than {} MiB unpacked", limits_.bytes >> 20),
                          "list what is not needed in .dockerignore"));
}

Status SourceTree::add(std::string_view raw, Item&& item) {
  if (++count_ > limits_.entries)
    return at(raw, invalid("archive.too_many_entries",
                           fmt::format("more than {} files and folders", limits_.entries),
                           "list what is not needed in .dockerignore"));
  SLIPWAY_ASSIGN(std::string path, clean_path(raw, limits_.depth));
  if (path.empty() && item.kind == Kind::kFolder) return {};
  if (path.empty()) return at(raw, invalid("archive.path_chars", "an entry without a name", "pack it again"));
  SLIPWAY_TRY(room_for(raw, item.bytes.size()));
  bytes_ += item.bytes.size();
  const bool folder = item.kind == Kind::kFolder;
  const auto [present, is_new] = items_.try_emplace(std::move(path), std::move(item));
  if (!is_new && !(folder && present->second.kind == Kind::kFolder))
    return at(raw, invalid("archive.name_collision",
                           fmt::format("'{}' is there twice", shown(present->first)), "pack it once"));
  return {};
}

Status SourceTree::add_file(std::string_view path, std::string bytes, std::uint32_t mode) {
  if ((mode & 07000U) != 0) warn("archive.mode", path, "set-user, set-group and sticky bits are cleared");
  return add(
      path,
      {.kind = Kind::kFile, .bytes = std::move(bytes), .target = {}, .executable = (mode & 0111U) != 0});
}

Status SourceTree::add_folder(std::string_view path) {
  return add(path, {.kind = Kind::kFolder, .bytes = {}, .target = {}, .executable = false});
}

Status SourceTree::add_link(std::string_view path, std::string_view target) {
  return add(path, {.kind = Kind::kLink, .bytes = {}, .target = std::string(target), .executable = false});
}

Status SourceTree::add_hard_link(std::string_view path, std::string_view target) {
  const auto clean = clean_path(target, limits_.depth);
  const auto found = clean ? items_.find(*clean) : items_.end();
  if (found == items_.end() || found->second.kind != Kind::kFile)
    return at(path, invalid("archive.hardlink",
                            fmt::format("a hard link to '{}', which is no file before it", shown(target)),
                            "pack the file itself"));
  return add(path, Item(found->second));
}

// "project/service.yaml": what `tar czf x.tgz project` and downloads of a repository look like.
void SourceTree::strip_top_folder() {
  if (items_.empty() || has_meta_in("")) return;
  const std::string& first = items_.begin()->first;
  const std::string top = first.substr(0, first.find('/'));
  const std::string inside = top + "/";
  const bool alone = std::ranges::all_of(
      items_, [&](const auto& entry) { return entry.first == top || entry.first.starts_with(inside); });
  if (!alone || !has_meta_in(inside)) return;
  items_.erase(top);
  Items stripped;
  while (!items_.empty()) {
    auto node = items_.extract(items_.begin());
    node.key().erase(0, inside.size());
    stripped.insert(std::move(node));
  }
  items_ = std::move(stripped);
}

bool SourceTree::has_meta_in(const std::string& folder) const {
  return std::ranges::any_of(kMetaNames,
                             [&](auto name) { return items_.contains(folder + std::string(name)); });
}

// Every part of the way must be a folder.
Status SourceTree::check_way_to(const std::string& path) const {
  for (const auto& parent : parents_of(path)) {
    const auto above = items_.find(parent);
    if (above == items_.end() || above->second.kind == Kind::kFolder) continue;
    if (above->second.kind == Kind::kLink)
      return at(path, invalid("archive.symlink_write_through",
                              fmt::format("'{}' is a link, not a folder", shown(parent)),
                              "pack the folder itself"));
    return at(path, invalid("archive.name_collision",
                            fmt::format("'{}' is a file and a folder", shown(parent)), "keep one of them"));
  }
  return {};
}

Status SourceTree::check_tree() const {
  std::map<std::string, std::string> seen;
  for (const auto& [path, item] : items_) {
    SLIPWAY_TRY(check_way_to(path));
    if (item.kind == Kind::kLink) SLIPWAY_TRY(check_link(path, item.target));
    std::vector<std::string> names = parents_of(path);
    names.push_back(path);
    for (const auto& name : names) {
      const auto [other, is_new] = seen.try_emplace(folded(name), name);
      if (!is_new && other->second != name)
        return at(name, invalid("archive.name_collision",
                                fmt::format("'{}' and '{}' are one name on some systems",
                                            shown(other->second), shown(name)),
                                "rename one of them"));
    }
  }
  return {};
}

Status SourceTree::take_meta(Source& source) const {
  std::vector<std::string> near;
  for (const auto& [path, item] : items_) {
    if (!path.contains('/') &&
        did_you_mean(folded(path), std::vector<std::string>{"service.yaml", "service.json"}))
      near.push_back(path);
    if (std::ranges::find(kMetaNames, path) == kMetaNames.end() || item.kind != Kind::kFile) continue;
    if (!source.meta_name.empty())
      return invalid("meta.ambiguous", "there is a service.yaml and a service.json", "keep one of them");
    if (item.bytes.size() > limits_.meta_bytes)
      return at(path, invalid("meta.too_long",
                              fmt::format("'{}' has {} bytes, {} are allowed", path, item.bytes.size(),
                                          limits_.meta_bytes),
                              "what is long belongs into files of its own"));
    source.meta_name = path;
    source.meta_text = item.bytes;
  }
  if (!source.meta_name.empty()) return {};
  return invalid("meta.not_found",
                 "there is no service.yaml and no service.json in the root or in a single top folder",
                 near.empty() ? "add one" : fmt::format("rename '{}' to service.yaml", shown(near.front())));
}

// Folders say nothing but when they are empty: two archives of the same files shall give the same bytes.
Status SourceTree::leave_out() {
  const auto ignore_file = items_.find(std::string(kIgnoreFile));
  const bool has_rules = ignore_file != items_.end() && ignore_file->second.kind == Kind::kFile;
  if (has_rules && ignore_file->second.bytes.size() > kLongestIgnoreFile)
    return at(kIgnoreFile, invalid("archive.too_large", ".dockerignore is longer than 64 KiB", "shorten it"));
  const IgnoreRules rules(has_rules ? ignore_file->second.bytes : "");
  Items kept;
  std::string last_warning;
  for (auto& [path, item] : items_) {
    const auto inside = items_.lower_bound(path + "/");
    const bool filled = inside != items_.end() && inside->first.starts_with(path + "/");
    if ((item.kind == Kind::kFolder && filled) || path == kIgnoreFile) continue;
    const Fate fate = fate_of(path, rules);
    if (fate == Fate::kKept) kept.emplace(path, std::move(item));
    if (fate != Fate::kLeftOut) continue;
    const std::string named = matched_part(warned_rules(), path);
    if (std::exchange(last_warning, named) != named) warn("archive.left_out", named, "left out");
  }
  items_ = std::move(kept);
  std::vector<std::string> parents;
  for (const auto& [path, item] : items_) std::ranges::move(parents_of(path), std::back_inserter(parents));
  for (auto& parent : parents)
    items_.try_emplace(std::move(parent), Item{.kind = Kind::kFolder, .bytes = {}, .target = {}});
  return {};
}

void SourceTree::write(Source& source) {
  TarWriter writer;
  std::size_t bytes = 2 * kBlock;
  for (const auto& [path, item] : items_) bytes += item.bytes.size() + 2 * kBlock;
  writer.expect(bytes);
  for (auto& [path, item] : items_) {
    source.entries.push_back({item.kind, path, item.bytes.size(), item.executable, item.target,
                              item.bytes.substr(0, SourceEntry::kHeadBytes)});
    if (item.kind == Kind::kFile)
      writer.file(path, std::exchange(item.bytes, {}), item.executable ? 0755 : 0644);
    if (item.kind == Kind::kFolder) writer.folder(path);
    if (item.kind == Kind::kLink) writer.link(path, item.target);
  }
  source.tar = writer.finish();
  source.digest = sha256_hex(source.tar);
}

Result<Source> SourceTree::finish() {
  Source source;
  strip_top_folder();
  SLIPWAY_TRY(check_tree());
  SLIPWAY_TRY(take_meta(source));
  SLIPWAY_TRY(leave_out());
  write(source);
  source.warnings = std::move(warnings_);
  return source;
}

}  // namespace slipway::archive
