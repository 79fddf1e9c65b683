#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "meta_file/dockerfile.hpp"

// One file per runtime; what they share. Inputs are checked already (dockerfile.cpp).
namespace slipway::meta_file::recipes {

/// The base image's PATH; images made of plain folders have none.
inline constexpr std::string_view kPath =
    "${PATH:-/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin}";

/// A RUN in the exec form: JSON, so that no byte of a word can start an instruction.
std::string run(const std::vector<std::string>& words);
std::string run_shell(std::string_view line);

/// "FROM image AS name" with the label that a killed build's leftovers are found by, as root.
std::string stage(std::string_view image, std::string_view name, const Recipe& recipe);
/// Debian packages; nothing if there are none.
std::string install(const std::vector<std::string>& packages);
/// The CA bundle of this site, and the variables that name it; nothing if there is none.
std::string ca_bundle(const SourceFacts& facts, std::initializer_list<const char*> variables);
/// ARG lines and the user's steps.
std::string arguments(const ServiceSpec& spec);
std::string steps(const ServiceSpec& spec);
/// "FROM base", the folders of volumes with their owner.
std::string last_stage(const ServiceSpec& spec);
/// The end of it: no longer root, no longer a build.
std::string as_user();
std::string copy_source();

std::string python(const ServiceSpec& spec, const Recipe& recipe, const SourceFacts& facts);
std::string node(const ServiceSpec& spec, const Recipe& recipe, const SourceFacts& facts);
std::string cpp(const ServiceSpec& spec, const Recipe& recipe, const SourceFacts& facts);
std::string binary(const ServiceSpec& spec, const Recipe& recipe, const SourceFacts& facts);

}  // namespace slipway::meta_file::recipes
