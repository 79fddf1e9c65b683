#include <fmt/format.h>

#include "meta_file/recipes/recipe.hpp"

namespace slipway::meta_file::recipes {
namespace {

// What both stages start from: the interpreter under both of its names, the Debian packages. Few
// instructions: each costs a fifth of a second where it is not cached.
std::string base(const ServiceSpec& spec, const Recipe& recipe) {
  return stage(recipe.base_image, "base", recipe) +
         "ENV PYTHONPATH=/deps PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 HOME=/tmp\nWORKDIR /app\n" +
         run_shell("command -v python >/dev/null || ln -s \"$(command -v python3)\" /usr/local/bin/python") +
         install(spec.build_packages);
}

// Dependencies go to /deps, requirements first: code that changes does not install them again.
std::string build(const ServiceSpec& spec, const SourceFacts& facts) {
  std::string text = "\nFROM base AS build\n" +
                     ca_bundle(facts, {"PIP_CERT", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"}) +
                     "ENV PIP_TARGET=/deps PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 "
                     "PIP_BREAK_SYSTEM_PACKAGES=1 PIP_ROOT_USER_ACTION=ignore\n";
  if (!spec.build_steps.empty())
    return text + arguments(spec) + run({"mkdir", "-p", "/deps"}) + copy_source() + steps(spec);
  return text + fmt::format("COPY {}/requirements.txt ./\n", kSourceFolder) +
         run_shell("mkdir -p /deps && exec python3 -m pip install -r requirements.txt");
}

}  // namespace

std::string python(const ServiceSpec& spec, const Recipe& recipe, const SourceFacts& facts) {
  const bool steps = !spec.build_steps.empty();
  const bool builds = steps || facts.has_requirements;
  std::string text = base(spec, recipe);
  if (builds) text += build(spec, facts);
  text += last_stage(spec);
  if (builds) text += "COPY --from=build /deps /deps\n";
  return text + as_user() + (steps ? "COPY --from=build /app ./\n" : copy_source());
}

}  // namespace slipway::meta_file::recipes
