#include "meta_file/not_yet.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

#include "meta_file/dockerfile.hpp"

namespace slipway::meta_file {
namespace {

constexpr std::string_view kAllowList = "it will also need the machine's allow-list (machine.allow)";

void refuse(const NotYet& row, const Node& value, Place place, Problems& problems) {
  const bool supported = value.is_scalar() && std::ranges::find(row.but_for, value.text) != row.but_for.end();
  if (supported || problems.blamed(value)) return;
  std::string message = fmt::format("'{}' is valid, but this release does not act on it yet", row.path);
  if (!row.but_for.empty()) message += fmt::format(" (only on {})", fmt::join(row.but_for, ", "));
  std::string hint(row.hint.empty() ? "remove it" : row.hint);
  problems.add({Problem{"meta.not_yet", std::move(message), std::move(hint), place, &value}});
}

void refuse_runtime(const Node& root, Problems& problems) {
  const Node* runtime = root.find("runtime");
  if (runtime == nullptr || !runtime->is_scalar() || problems.blamed(*runtime)) return;
  const std::string language = runtime->text.substr(0, runtime->text.find('@'));
  if (!has_recipe(language))
    problems.add("meta.not_yet", *runtime,
                 fmt::format("the runtime '{}' is not built by this release yet", language),
                 std::string(kOtherRuntimes));
}

void refuse_host_paths(const Node& root, Problems& problems) {
  const Node* volumes = root.find("volumes");
  if (volumes == nullptr) return;
  for (const Node& volume : volumes->items)
    if (volume.is_scalar() && !volume.text.empty() && std::string_view("/.~").contains(volume.text.front()))
      problems.add("meta.not_yet", volume, "folders of the machine cannot be mounted by this release yet",
                   fmt::format("use a named volume, such as data:/var/lib/data; {}", kAllowList));
}

}  // namespace

std::span<const NotYet> not_yet_table() {
  static const std::array kTable{
      NotYet{"devices", {}, kAllowList},
      NotYet{"network", {"bridge", "none"}, kAllowList},
      NotYet{"placement", {}, "name the machine when deploying (--machine)"},
      NotYet{"depends_on", {}, "let the service wait for what it needs"},
      NotYet{"schedule", {}, "start it from outside (slipway start), with restart: never"},
      NotYet{"replicas", {"1"}},
      NotYet{"update.order", {"stop-first"}},
      NotYet{"update.parallelism"},
      NotYet{"update.rollback", {"true"}},
  };
  return kTable;
}

void refuse_not_yet(const Node& root, Problems& problems) {
  for (const NotYet& row : not_yet_table()) {
    const std::size_t dot = row.path.find('.');
    const Node* parent = dot == std::string_view::npos ? &root : root.find(row.path.substr(0, dot));
    const auto* entry = parent == nullptr ? nullptr : parent->find_entry(row.path.substr(dot + 1));
    if (entry != nullptr) refuse(row, entry->value, entry->key_place, problems);
  }
  refuse_runtime(root, problems);
  refuse_host_paths(root, problems);
}

}  // namespace slipway::meta_file
