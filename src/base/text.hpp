#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace slipway {

/// Offset of the first byte that is not valid UTF-8 (overlong forms and surrogates included); nothing if all
/// is well.
std::optional<std::size_t> find_invalid_utf8(std::string_view text);

/// `text` with control characters and invalid UTF-8 replaced by visible escapes: safe in a terminal and in a
/// log.
std::string escape_for_people(std::string_view text);

std::vector<std::string> split(std::string_view text, char separator);
std::string join(std::span<const std::string> parts, std::string_view separator);

/// The candidate nearest to `word` by edit distance, if near enough to be a slip of the keyboard.
std::optional<std::string> did_you_mean(std::string_view word, std::span<const std::string> candidates);

/// "500ms", "10s", "1m30s", "1.5h", "2d".
Result<std::chrono::milliseconds> parse_duration(std::string_view text);

/// "256M" and "256MB" = 10^6 x 256; "256Mi" = 2^20 x 256; "512B".
Result<std::uint64_t> parse_bytes(std::string_view text);

/// Words as a shell would split them (quotes and backslashes; no expansion). Unbalanced quotes are invalid.
Result<std::vector<std::string>> split_shell_words(std::string_view text);

}  // namespace slipway
