#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "meta_file/read.hpp"

// What the tests of reading a meta file share.
namespace slipway::meta_file {

/// A meta file that is whole; tests put more lines after it.
inline constexpr const char* kHead = "name: hello\nruntime: python@3.11\ncommand: python main.py\n";

inline std::string repeated(std::string_view part, std::size_t times) {
  std::string text;
  for (std::size_t i = 0; i < times; ++i) text += part;
  return text;
}

inline std::string codes(const Reading& reading) {
  std::string all;
  for (const auto& found : reading.errors) all += render(found) + "\n";
  return all;
}

inline ServiceSpec must_read(const std::string& text, const Policy& policy = {}) {
  const Reading reading = read_service("service.yaml", text, policy);
  EXPECT_TRUE(reading.ok()) << text << codes(reading);
  return reading.spec.value_or(ServiceSpec());
}

inline std::string file_text(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

inline std::filesystem::path examples() {
  const char* root = std::getenv("SLIPWAY_SOURCE_DIR");
  return std::filesystem::path(root == nullptr ? "." : root) / "contracts/examples/service";
}

}  // namespace slipway::meta_file
