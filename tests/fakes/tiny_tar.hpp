#pragma once

#include <map>
#include <string>
#include <string_view>

namespace slipway::fakes {

/// A ustar archive of these files (path -> content; modes 0644). Paths under 100 bytes.
std::string make_tar(const std::map<std::string, std::string>& files);

/// The regular files of a ustar archive.
std::map<std::string, std::string> read_tar(std::string_view tar);

}  // namespace slipway::fakes
