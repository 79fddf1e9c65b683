#include "meta_file/dockerfile.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "meta_file/read.hpp"
#include "meta_file/recipes/recipe.hpp"

namespace slipway::meta_file {
namespace {

constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
constexpr std::size_t kMostPackageJson = 256 * 1024;

using MakeText = std::string (*)(const ServiceSpec&, const Recipe&, const SourceFacts&);
struct RecipeRow {
  std::string_view runtime;
  MakeText text;
};
constexpr std::array kRecipes{RecipeRow{"python", recipes::python}, RecipeRow{"node", recipes::node},
                              RecipeRow{"cpp", recipes::cpp}, RecipeRow{"binary", recipes::binary}};

const RecipeRow* find_recipe(std::string_view runtime) {
  const auto* found = std::ranges::find(kRecipes, runtime, &RecipeRow::runtime);
  return found == kRecipes.end() ? nullptr : found;
}

// The meta file was checked already; what enters the text unquoted is checked again here, once more for all.
bool is_plain(std::string_view text, std::string_view also) {
  return !text.empty() &&
         text.find_first_not_of(std::string(kLetters) + std::string(also)) == std::string_view::npos;
}

Status check(const ServiceSpec& spec, const Recipe& recipe) {
  if (spec.image_source != ImageSource::kRuntime || !has_recipe(spec.runtime))
    return invalid("meta.runtime_unknown",
                   fmt::format("there is no recipe for the runtime '{}'", spec.runtime));
  const bool good_build_image = recipe.build_image.empty() || is_plain(recipe.build_image, "._:/@-");
  if (!is_plain(recipe.base_image, "._:/@-") || !good_build_image || !is_plain(recipe.instance, "._-"))
    return invalid("config.base_image",
                   fmt::format("'{}' or '{}' is no image reference", recipe.base_image, recipe.build_image),
                   fmt::format("correct runtimes.{} in the server's settings", spec.runtime));
  for (const auto& name : spec.build_packages)
    if (!is_plain(name, ".+-")) return invalid("meta.package", fmt::format("'{}' is no package", name));
  for (const auto& [name, value] : spec.build_args)
    if (!is_plain(name, "_")) return invalid("meta.env_name", fmt::format("'{}' is no build argument", name));
  for (const auto& path : spec.build_artifacts)
    if (!is_plain(path, "._-+@/")) return invalid("meta.path", fmt::format("'{}' is no plain path", path));
  return {};
}

bool names_dependencies(const SourceView& source) {
  const auto package = nlohmann::json::parse(source.read("package.json", kMostPackageJson), nullptr, false);
  if (!package.is_object()) return false;
  for (const char* key : {"dependencies", "optionalDependencies"})
    if (package.contains(key) && package[key].is_object() && !package[key].empty()) return true;
  return false;
}

}  // namespace

SourceFacts facts_of(const SourceView& source) {
  const auto has = [&](const char* path) { return std::ranges::binary_search(source.paths, path); };
  const bool brought = std::ranges::any_of(
      source.paths, [](const std::string& path) { return path.starts_with("node_modules/"); });
  SourceFacts facts;
  facts.has_requirements = has("requirements.txt");
  facts.has_dependencies = !brought && has("package.json") && names_dependencies(source);
  facts.has_lock = has("package-lock.json");
  return facts;
}

bool has_recipe(std::string_view runtime) {
  return find_recipe(runtime) != nullptr;
}

BuildNeeds needs_of(const ServiceSpec& spec, const SourceFacts& facts) {
  const bool steps = !spec.build_steps.empty();
  if (spec.runtime == "cpp") return {.network = true, .build_image = true};  // CMake may fetch
  if (spec.runtime == "node")
    return {.network = facts.has_dependencies || steps || !spec.build_packages.empty(),
            .build_image = facts.has_dependencies || steps};
  const bool installs = spec.runtime == "python" && facts.has_requirements;
  return {.network = installs || steps || !spec.build_packages.empty(), .build_image = false};
}

Result<std::string> make_dockerfile(const ServiceSpec& spec, const Recipe& recipe, const SourceFacts& facts) {
  SLIPWAY_TRY(check(spec, recipe));
  return find_recipe(spec.runtime)->text(spec, recipe, facts);
}

}  // namespace slipway::meta_file
