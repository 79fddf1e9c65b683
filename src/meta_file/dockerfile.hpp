#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"
#include "meta_file/service_spec.hpp"

namespace slipway::meta_file {

/// From the server's settings (`runtimes.python`), with the instance of this server.
struct Recipe {
  std::string base_image = "slipway/python:3.11";
  std::string instance = "default";  ///< `slipway.build=<instance>` marks what a killed build left behind
};

/// What the recipe must know about the source.
struct SourceFacts {
  bool has_requirements = false;  ///< requirements.txt in the root
  bool has_ca_bundle = false;     ///< the context holds kCaBundlePath: used in the build stage only
};

/// The context of a generated build: `Dockerfile`, the source below kSourceFolder, the CA bundle if any.
inline constexpr std::string_view kSourceFolder = "app";
inline constexpr std::string_view kCaBundlePath = ".slipway/ca.pem";

/// The Dockerfile of a service with ImageSource::kRuntime; the same input gives the same text. No value of
/// the meta file enters it but `build.steps`, package names, argument names and volume paths (as JSON,
/// checked); command, env, labels and user go through container create. kInvalid `meta.runtime_unknown` for a
/// runtime without a recipe.
Result<std::string> make_dockerfile(const ServiceSpec& spec, const Recipe& recipe, const SourceFacts& facts);

}  // namespace slipway::meta_file
