#include "meta_file/recipes/recipe.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <nlohmann/json.hpp>

namespace slipway::meta_file::recipes {
namespace {

constexpr std::string_view kDefaultOwner = "65532:65532";

std::string owner_of_volumes(const ServiceSpec& spec) {
  const bool numeric = !spec.user.empty() && spec.user.find_first_not_of("0123456789:") == std::string::npos;
  return numeric ? spec.user : std::string(kDefaultOwner);
}

}  // namespace

std::string run(const std::vector<std::string>& words) {
  return fmt::format("RUN {}\n", nlohmann::json(words).dump(-1, ' ', true));
}
std::string run_shell(std::string_view line) {
  return run({"/bin/sh", "-c", std::string(line)});
}

// The label comes before the first RUN, so that a container left behind by a killed build can be found.
std::string stage(std::string_view image, std::string_view name, const Recipe& recipe) {
  return fmt::format("FROM {} AS {}\nLABEL slipway.build=\"{}\"\nUSER 0:0\n", image, name, recipe.instance);
}

std::string install(const std::vector<std::string>& packages) {
  if (packages.empty()) return {};
  return run_shell(
      fmt::format("apt-get update && apt-get install -y --no-install-recommends {} && "
                  "rm -rf /var/lib/apt/lists/*",
                  fmt::join(packages, " ")));
}

std::string ca_bundle(const SourceFacts& facts, std::initializer_list<const char*> variables) {
  if (!facts.has_ca_bundle) return {};
  std::string text = fmt::format("COPY {} /run/slipway-ca.pem\nENV", kCaBundlePath);
  for (const char* name : variables) text += fmt::format(" {}=/run/slipway-ca.pem", name);
  return text + "\n";
}

std::string arguments(const ServiceSpec& spec) {
  std::string text;
  for (const auto& [name, value] : spec.build_args) text += fmt::format("ARG {}\n", name);
  return text;
}

std::string steps(const ServiceSpec& spec) {
  std::string text;
  for (const auto& step : spec.build_steps) text += run_shell(step);
  return text;
}

std::string last_stage(const ServiceSpec& spec) {
  std::string text = "\nFROM base\n";
  std::vector<std::string> folders{"mkdir", "-p"};
  std::vector<std::string> owners{"chown", owner_of_volumes(spec)};
  for (const auto& volume : spec.volumes) {
    folders.push_back(volume.path);
    owners.push_back(volume.path);
  }
  if (!spec.volumes.empty()) text += run(folders) + run(owners);
  return text;
}

std::string as_user() {
  return fmt::format("LABEL slipway.build=\"\"\nUSER {}\n", kDefaultOwner);
}

std::string copy_source() {
  return fmt::format("COPY {}/ ./\n", kSourceFolder);
}

}  // namespace slipway::meta_file::recipes
