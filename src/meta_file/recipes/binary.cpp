#include "meta_file/read.hpp"
#include "meta_file/recipes/recipe.hpp"

namespace slipway::meta_file::recipes {

std::string binary(const ServiceSpec& spec, const Recipe& recipe, const SourceFacts& facts) {
  std::string text = stage(recipe.base_image, "base", recipe) +
                     "ENV HOME=/tmp PATH=/app:" + std::string(kPath) + "\nWORKDIR /app\n" +
                     install(spec.build_packages) + last_stage(spec) + copy_source();
  // Archives made elsewhere may have lost the x bit.
  if (!facts.entry_executable) text += run({"chmod", "0755", "/app/" + entry_path(spec)});
  return text + as_user();
}

}  // namespace slipway::meta_file::recipes
