#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"
#include "meta_file/detect_runtime.hpp"
#include "meta_file/service_spec.hpp"

namespace slipway::meta_file {

/// From the server's settings (`runtimes.<runtime>`), with the instance of this server.
struct Recipe {
  std::string base_image = "slipway/python:3.11";
  std::string build_image;           ///< with npm or a compiler, for the build stage; empty: the base image
  std::string instance = "default";  ///< `slipway.build=<instance>` marks what a killed build left behind
};

/// What the recipe must know about the source.
struct SourceFacts {
  bool has_requirements = false;  ///< python: requirements.txt in the root
  bool has_dependencies = false;  ///< node: package.json names some that the source does not bring along
  bool has_lock = false;          ///< node: package-lock.json in the root
  bool entry_executable = true;   ///< binary: the program has its x bit (true too if it is not in the source)
  bool has_ca_bundle = false;     ///< the context holds kCaBundlePath: used in the build stage only
};

/// All of them but the CA bundle and the x bit, which the view cannot tell.
SourceFacts facts_of(const SourceView& source);

/// The context of a generated build: `Dockerfile`, the source below kSourceFolder, the CA bundle if any.
inline constexpr std::string_view kSourceFolder = "app";
inline constexpr std::string_view kCaBundlePath = ".slipway/ca.pem";

bool has_recipe(std::string_view runtime);

/// What the build of a recipe asks for.
struct BuildNeeds {
  bool network = false;
  bool build_image = false;
};
BuildNeeds needs_of(const ServiceSpec& spec, const SourceFacts& facts);

/// The Dockerfile of a service with ImageSource::kRuntime; the same input gives the same text. No value of
/// the meta file enters it but `build.steps`, package names, argument names, paths of volumes and artifacts
/// and a binary's own path (as JSON, checked); command, env, labels and user go through container create.
/// kInvalid `meta.runtime_unknown` for a runtime without a recipe.
Result<std::string> make_dockerfile(const ServiceSpec& spec, const Recipe& recipe, const SourceFacts& facts);

}  // namespace slipway::meta_file
