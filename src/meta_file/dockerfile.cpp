#include "meta_file/dockerfile.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <nlohmann/json.hpp>

namespace slipway::meta_file {
namespace {

constexpr std::string_view kDefaultOwner = "65532:65532";
constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

// The exec form: JSON, so that no byte of a word can start an instruction.
std::string run(const std::vector<std::string>& words) {
  return fmt::format("RUN {}\n", nlohmann::json(words).dump(-1, ' ', true));
}
std::string run_shell(std::string_view line) {
  return run({"/bin/sh", "-c", std::string(line)});
}

// The meta file was checked already; what enters the text unquoted is checked again here, once more for all.
bool is_plain(std::string_view text, std::string_view also) {
  return !text.empty() &&
         text.find_first_not_of(std::string(kLetters) + std::string(also)) == std::string_view::npos;
}

Status check(const ServiceSpec& spec, const Recipe& recipe) {
  if (spec.image_source != ImageSource::kRuntime || spec.runtime != "python")
    return invalid("meta.runtime_unknown",
                   fmt::format("there is no recipe for the runtime '{}'", spec.runtime));
  if (!is_plain(recipe.base_image, "._:/@-") || !is_plain(recipe.instance, "._-"))
    return invalid("config.base_image", fmt::format("'{}' is no image reference", recipe.base_image),
                   "correct runtimes.python.image in the server's settings");
  for (const auto& name : spec.build_packages)
    if (!is_plain(name, ".+-")) return invalid("meta.package", fmt::format("'{}' is no package", name));
  for (const auto& [name, value] : spec.build_args)
    if (!is_plain(name, "_")) return invalid("meta.env_name", fmt::format("'{}' is no build argument", name));
  return {};
}

// What both stages start from: the interpreter under both of its names, the Debian packages. The label comes
// before the first RUN, so that a container left behind by a killed build can be found. Few instructions:
// each costs a fifth of a second where it is not cached.
std::string base_stage(const ServiceSpec& spec, const Recipe& recipe) {
  std::string text = fmt::format("FROM {} AS base\nLABEL slipway.build=\"{}\"\nUSER 0:0\n", recipe.base_image,
                                 recipe.instance);
  text += "ENV PYTHONPATH=/deps PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 HOME=/tmp\nWORKDIR /app\n";
  text += run_shell("command -v python >/dev/null || ln -s \"$(command -v python3)\" /usr/local/bin/python");
  if (!spec.build_packages.empty())
    text +=
        run_shell(fmt::format("apt-get update && apt-get install -y --no-install-recommends {} && "
                              "rm -rf /var/lib/apt/lists/*",
                              fmt::join(spec.build_packages, " ")));
  return text;
}

// Dependencies go to /deps, requirements first: code that changes does not install them again.
std::string build_stage(const ServiceSpec& spec, const SourceFacts& facts) {
  const bool steps = !spec.build_steps.empty();
  std::string text = "\nFROM base AS build\n";
  std::string env =
      "ENV PIP_TARGET=/deps PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_BREAK_SYSTEM_PACKAGES=1 "
      "PIP_ROOT_USER_ACTION=ignore";
  if (facts.has_ca_bundle) {
    text += fmt::format("COPY {} /run/slipway-ca.pem\n", kCaBundlePath);
    for (const char* name : {"PIP_CERT", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"})
      env += fmt::format(" {}=/run/slipway-ca.pem", name);
  }
  text += env + "\n";
  if (!steps) {
    text += fmt::format("COPY {}/requirements.txt ./\n", kSourceFolder);
    return text + run_shell("mkdir -p /deps && exec python3 -m pip install -r requirements.txt");
  }
  for (const auto& [name, value] : spec.build_args) text += fmt::format("ARG {}\n", name);
  text += run({"mkdir", "-p", "/deps"});
  text += fmt::format("COPY {}/ ./\n", kSourceFolder);
  for (const auto& step : spec.build_steps) text += run_shell(step);
  return text;
}

std::string owner_of_volumes(const ServiceSpec& spec) {
  const bool numeric =
      is_plain(spec.user, ":") && spec.user.find_first_not_of("0123456789:") == std::string::npos;
  return numeric ? spec.user : std::string(kDefaultOwner);
}

}  // namespace

Result<std::string> make_dockerfile(const ServiceSpec& spec, const Recipe& recipe, const SourceFacts& facts) {
  SLIPWAY_TRY(check(spec, recipe));
  const bool steps = !spec.build_steps.empty();
  const bool build = steps || facts.has_requirements;
  std::string text = base_stage(spec, recipe);
  if (build) text += build_stage(spec, facts);
  text += "\nFROM base\n";
  std::vector<std::string> folders{"mkdir", "-p"};
  std::vector<std::string> owners{"chown", owner_of_volumes(spec)};
  for (const auto& volume : spec.volumes) {
    folders.push_back(volume.path);
    owners.push_back(volume.path);
  }
  if (!spec.volumes.empty()) text += run(folders) + run(owners);
  if (build) text += "COPY --from=build /deps /deps\n";
  text += fmt::format("LABEL slipway.build=\"\"\nUSER {}\n", kDefaultOwner);
  return text + (steps ? "COPY --from=build /app ./\n" : fmt::format("COPY {}/ ./\n", kSourceFolder));
}

}  // namespace slipway::meta_file
