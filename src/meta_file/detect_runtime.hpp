#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace slipway::meta_file {

/// What detection may see of a source.
struct SourceView {
  std::vector<std::string> paths;  ///< of all files, sorted
  /// The beginning of a file, at most so many bytes; empty if it cannot be read.
  std::function<std::string(const std::string& path, std::size_t most)> read;
};

/// A file that speaks for a runtime, and what it says.
struct Evidence {
  std::string file;
  std::string says;  ///< "start: node server.js", or empty: that it is there says enough
};

/// What a source may be.
struct Guess {
  std::string runtime;               ///< "node", or kOwnDockerfile
  std::string version;               ///< empty: the source does not say
  std::vector<std::string> command;  ///< empty: the source does not say, or says more than one
  std::vector<Evidence> evidence;
};

/// The source brings its own Dockerfile: no runtime is needed.
inline constexpr std::string_view kOwnDockerfile = "dockerfile";

/// Everything that files in the root speak for; choosing is the caller's. Pure, and made for hostile files.
std::vector<Guess> guess_runtimes(const SourceView& source);

/// "node@18: package.json (start: node server.js), server.js"
std::string show(const Guess& guess);
/// The same of several, "; " between.
std::string show(std::span<const Guess> guesses);

/// The architecture of an ELF file as Docker calls it ("amd64"), from its first kElfHead bytes; empty: no
/// ELF.
std::string elf_architecture(std::string_view head);
inline constexpr std::size_t kElfHead = 20;

}  // namespace slipway::meta_file
