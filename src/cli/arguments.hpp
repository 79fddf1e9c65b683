#pragma once

#include <string>
#include <vector>

#include "cli/session.hpp"

namespace slipway::cli {

/// Reads the words of the command line and runs the command that they name; the exit code. A mistake is said
/// on standard error with the nearest word that would have been right: exit code 2.
int run_arguments(Session& session, std::vector<std::string> words);

}  // namespace slipway::cli
