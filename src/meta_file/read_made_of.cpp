#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "base/text.hpp"
#include "meta_file/dockerfile.hpp"
#include "meta_file/not_yet.hpp"
#include "meta_file/spec_reader.hpp"

namespace slipway::meta_file {
namespace {

// Inside the service's folder, without leaving it on the way.
bool stays_inside(std::string_view path) {
  if (path.empty() || path.starts_with('/') || path.contains('\\')) return false;
  const auto parts = split(path, '/');
  return std::ranges::find(parts, "..") == parts.end();
}

// The server must have the runtime, in that version. `place` is where it is written, or the root.
void check_runtime(const Fields& root, const Node& place, const ServiceSpec& spec, const Policy& policy) {
  const auto known = policy.runtimes.find(spec.runtime);
  const auto covers = [&](const std::string& version) {
    return version == spec.runtime_version || version.starts_with(spec.runtime_version + ".");
  };
  if (known != policy.runtimes.end() &&
      (spec.runtime_version.empty() || known->second.empty() || std::ranges::any_of(known->second, covers)))
    return;
  std::vector<std::string> offered;
  for (const auto& [name, versions] : policy.runtimes)
    offered.push_back(versions.empty() ? name : fmt::format("{}@{}", name, fmt::join(versions, ", @")));
  const std::string wanted = spec.runtime + (spec.runtime_version.empty() ? "" : "@" + spec.runtime_version);
  root.problems().add("meta.runtime_unknown", place, fmt::format("this server has no '{}'", wanted),
                      offered.empty() ? "its settings name none (runtimes.<runtime>.image)"
                                      : fmt::format("it has {}", fmt::join(offered, ", ")));
}

// Nothing is named: the one thing that the source looks like, never one of two.
void take_guess(const Fields& root, ServiceSpec& spec, const Policy& policy, std::span<const Guess> guesses) {
  if (guesses.empty())
    return root.problems().missing(
        root.node(), "nothing says what the service is made of",
        "write `runtime: python@3.11`, or `image:`, or `build: {dockerfile: Dockerfile}`");
  const Guess& guess = guesses.front();
  if (guesses.size() > 1)
    return root.problems().add(
        "meta.runtime_ambiguous", root.node(),
        fmt::format("the source looks like more than one thing: {}", show(guesses)),
        guess.runtime == kOwnDockerfile
            ? "write `build: {dockerfile: Dockerfile}`, or the runtime"
            : fmt::format("write the one that it is, such as `runtime: {}`", guess.runtime));
  if (guess.runtime == kOwnDockerfile) {
    spec.image_source = ImageSource::kDockerfile;
    spec.dockerfile = guess.evidence.front().file;
    return;
  }
  spec.runtime = guess.runtime;
  spec.runtime_version = guess.version;
  if (!has_recipe(spec.runtime))
    return root.problems().add(
        "meta.not_yet", root.node(),
        fmt::format("this release does not build '{}' yet ({})", spec.runtime, show(guess)),
        std::string(kOtherRuntimes));
  check_runtime(root, root.node(), spec, policy);
}

void read_image(const Fields& root, ServiceSpec& spec, const Policy& policy, std::span<const Guess> guesses) {
  const auto build = root.map("build");
  const bool own = build && build->node().find("dockerfile") != nullptr;
  if (root.node().find("image") != nullptr) {
    spec.image_source = ImageSource::kImage;
    spec.image = root.text("image");
  } else if (own) {
    spec.image_source = ImageSource::kDockerfile;
    spec.dockerfile = build->text("dockerfile");
    if (const Node* path = build->scalar("dockerfile"); path != nullptr && !stays_inside(path->text))
      root.problems().add("meta.path", *path, "the Dockerfile must be inside the service's folder",
                          "write a relative path, such as Dockerfile");
  } else if (root.node().find("runtime") == nullptr) {
    take_guess(root, spec, policy, guesses);
  } else if (const Node* runtime = root.scalar("runtime")) {
    const std::size_t at = runtime->text.find('@');
    spec.runtime = runtime->text.substr(0, at);
    if (at != std::string::npos) spec.runtime_version = runtime->text.substr(at + 1);
    check_runtime(root, *runtime, spec, policy);
  }
}

bool is_variable_name(std::string_view text) {
  return text.size() <= 256 &&
         all_of(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") &&
         !std::string_view("0123456789").contains(text[0]);
}

void read_build(const Fields& root, ServiceSpec& spec) {
  const auto build = root.map("build");
  if (!build) return;
  spec.build_args = build->text_map("args");
  spec.build_packages = build->texts("packages");
  spec.build_steps = build->texts("steps");
  if (const auto args = build->map("args"))
    for (const auto& entry : args->node().entries)
      if (!is_variable_name(entry.key))
        root.problems().add(
            "meta.env_name", entry.value,
            fmt::format("'{}' is no name of a build argument", escape_for_people(entry.key.substr(0, 80))),
            "letters, digits and _, no digit first");
  if (const Node* value = build->list("steps"); value != nullptr && spec.runtime == "binary")
    root.problems().add("meta.conflict", *value, "a binary is not built: 'build.steps' would do nothing",
                        "remove them, or name the runtime that they need");
  if (spec.image_source != ImageSource::kDockerfile) return;
  for (const char* key : {"packages", "steps", "artifacts"})
    if (const Node* value = build->list(key))
      root.problems().add("meta.conflict", *value,
                          fmt::format("'build.{}' belongs to a runtime, not to a Dockerfile", key),
                          "write it into the Dockerfile");
}

// What the build stage of a compiled service hands over beside its programs.
void read_artifacts(const Fields& root, ServiceSpec& spec) {
  const auto build = root.map("build");
  const Node* list = build ? build->list("artifacts") : nullptr;
  if (spec.image_source != ImageSource::kRuntime || !has_recipe(spec.runtime)) return;
  if (spec.runtime != "cpp" && list != nullptr)
    root.problems().add(
        "meta.conflict", *list,
        fmt::format("'build.artifacts' belongs to compiled runtimes (cpp), not to {}", spec.runtime),
        "remove it: the whole folder is in the image");
  if (spec.runtime != "cpp") return;
  spec.build_artifacts = build ? build->texts("artifacts") : std::vector<std::string>{};
  for (std::size_t i = 0; list != nullptr && i < list->items.size(); ++i)
    if (const Node& path = list->items[i];
        path.is_scalar() && !(stays_inside(path.text) && all_of(path.text, kPathCharacters)))
      root.problems().add("meta.path", path, "an artifact must be a plain path inside the service's folder",
                          "write a relative path, such as build/server; letters, digits and . _ - + @ /");
  if (!spec.build_steps.empty() && spec.build_artifacts.empty())
    root.problems().missing(root.node(), "'build.artifacts' is missing: nothing says what the steps made",
                            "list the paths that the service needs, relative to its folder");
}

}  // namespace

bool all_of(std::string_view text, std::string_view allowed) {
  return !text.empty() && text.find_first_not_of(allowed) == std::string_view::npos;
}

void read_made_of(const Fields& root, ServiceSpec& spec, const Policy& policy,
                  std::span<const Guess> guesses) {
  read_image(root, spec, policy, guesses);
  read_build(root, spec);
  read_artifacts(root, spec);
}

}  // namespace slipway::meta_file
