#pragma once

#include <string>
#include <vector>

#include "cli/session.hpp"
#include "meta_file/read.hpp"

namespace slipway::cli {

/// A folder of this machine, packed and with a valid meta file.
struct LocalSource {
  Source source;
  meta_file::ServiceSpec spec;
  std::vector<std::string> warnings;  ///< texts for people
  std::string detected;               ///< what the meta file left out and its folder says; or empty
};

/// What was wrong with it: everything at once.
struct LocalTrouble {
  Error first;
  std::vector<meta_file::Finding> findings;  ///< empty: the folder itself could not be read
};

/// The server checks again, with its own settings; this only finds mistakes earlier.
std::expected<LocalSource, LocalTrouble> read_folder(const Archives& archives, const std::string& folder);

/// The findings on standard error, or as JSON; exit code 2.
int say_trouble(Session& session, const LocalTrouble& trouble);

/// "python@3.11", "image registry/name", "Dockerfile"
std::string runtime_of(const meta_file::ServiceSpec& spec);

}  // namespace slipway::cli
