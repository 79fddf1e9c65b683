#include <algorithm>
#include <nlohmann/json.hpp>

#include "meta_file/recipes/recipe.hpp"

namespace slipway::meta_file::recipes {
namespace {

// Every program lands in /out/bin, whether the project has install rules or not; -j needs a number, else
// make starts everything at once.
constexpr std::string_view kDefaultBuild =
    "cmake -S . -B /build -DCMAKE_BUILD_TYPE=Release -DBUILD_TESTING=OFF "
    "-DCMAKE_RUNTIME_OUTPUT_DIRECTORY=/out/bin && cmake --build /build -j \"$(nproc)\" && "
    "cmake --install /build --prefix /out --strip";

// The toolchain needs all packages, the service none that only compiles (-dev).
std::vector<std::string> runtime_packages(const ServiceSpec& spec) {
  std::vector<std::string> packages;
  std::ranges::copy_if(spec.build_packages, std::back_inserter(packages),
                       [](const std::string& name) { return !name.ends_with("-dev"); });
  return packages;
}

std::string build(const ServiceSpec& spec, const Recipe& recipe, const SourceFacts& facts) {
  return stage(recipe.build_image.empty() ? recipe.base_image : recipe.build_image, "build", recipe) +
         "ENV HOME=/tmp\nWORKDIR /src\n" + install(spec.build_packages) +
         ca_bundle(facts, {"SSL_CERT_FILE", "CURL_CA_BUNDLE", "GIT_SSL_CAINFO"}) + arguments(spec) +
         run({"mkdir", "-p", "/out"}) + copy_source() +
         (spec.build_steps.empty() ? run_shell(kDefaultBuild) : steps(spec)) + "\n";
}

}  // namespace

std::string cpp(const ServiceSpec& spec, const Recipe& recipe, const SourceFacts& facts) {
  std::string text = build(spec, recipe, facts) + stage(recipe.base_image, "base", recipe) +
                     "ENV HOME=/tmp PATH=/app/bin:" + std::string(kPath) + "\nWORKDIR /app\n" +
                     install(runtime_packages(spec)) + last_stage(spec) + as_user() +
                     "COPY --from=build /out/ ./\n";
  for (const auto& path : spec.build_artifacts)
    text += "COPY --from=build " + nlohmann::json{"/src/" + path, "./" + path}.dump() + "\n";
  return text;
}

}  // namespace slipway::meta_file::recipes
