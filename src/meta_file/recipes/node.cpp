#include <fmt/format.h>

#include "meta_file/recipes/recipe.hpp"

namespace slipway::meta_file::recipes {
namespace {

// package.json first: code that changes does not install its dependencies again. Their scripts do not run:
// they are code of strangers, and most packages need none; a service that does names it in build.steps.
std::string build(const ServiceSpec& spec, const Recipe& recipe, const SourceFacts& facts) {
  std::string text =
      "\n" + stage(recipe.build_image.empty() ? recipe.base_image : recipe.build_image, "build", recipe) +
      "ENV HOME=/tmp npm_config_cache=/tmp/npm npm_config_update_notifier=false npm_config_fund=false "
      "npm_config_audit=false\nWORKDIR /app\n" +
      ca_bundle(facts, {"NODE_EXTRA_CA_CERTS", "npm_config_cafile", "SSL_CERT_FILE"});
  if (!spec.build_steps.empty()) return text + arguments(spec) + copy_source() + steps(spec);
  text += fmt::format("COPY {0}/package.json {1}./\n", kSourceFolder,
                      facts.has_lock ? fmt::format("{}/package-lock.json ", kSourceFolder) : "");
  return text + (facts.has_lock ? run({"npm", "ci", "--omit=dev", "--ignore-scripts"})
                                : run({"npm", "install", "--omit=dev", "--ignore-scripts"}));
}

}  // namespace

std::string node(const ServiceSpec& spec, const Recipe& recipe, const SourceFacts& facts) {
  const bool steps = !spec.build_steps.empty();
  const bool builds = steps || facts.has_dependencies;
  std::string text = stage(recipe.base_image, "base", recipe) +
                     "ENV NODE_ENV=production HOME=/tmp\nWORKDIR /app\n" + install(spec.build_packages);
  if (builds) text += build(spec, recipe, facts);
  text += last_stage(spec) + as_user();
  if (steps) return text + "COPY --from=build /app ./\n";
  text += copy_source();
  return builds ? text + "COPY --from=build /app/node_modules ./node_modules\n" : text;
}

}  // namespace slipway::meta_file::recipes
