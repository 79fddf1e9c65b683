#pragma once

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>

namespace slipway::machine_agent {

/// A writable copy of one of tests/recorded: it shows the first moment, and the second one (a second later)
/// after advance(). Files keep their inode, so that kept-open ones see the change, as in /proc.
class RecordedTree {
 public:
  explicit RecordedTree(const std::string& name) {
    const char* source = std::getenv("SLIPWAY_SOURCE_DIR");
    if (source == nullptr) throw std::runtime_error("SLIPWAY_SOURCE_DIR is not set: run by ctest");
    recorded_ = std::filesystem::path{source} / "tests/recorded" / name;
    std::string pattern = std::filesystem::temp_directory_path() / "slipway-tree-XXXXXX";
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("mkdtemp failed");
    root_ = pattern;
    show("first");
  }
  RecordedTree(const RecordedTree&) = delete;
  RecordedTree& operator=(const RecordedTree&) = delete;
  ~RecordedTree() { std::filesystem::remove_all(root_); }

  void advance() { show("second"); }
  void write(const std::string& path, const std::string& text) const {
    std::filesystem::create_directories((root_ / path).parent_path());
    std::ofstream{root_ / path} << text;
  }
  void remove(const std::string& path) const { std::filesystem::remove_all(root_ / path); }
  const std::filesystem::path& root() const { return root_; }

 private:
  void show(const std::string& moment) {
    using std::filesystem::copy_options;
    std::filesystem::copy(
        recorded_ / moment, root_,
        copy_options::recursive | copy_options::copy_symlinks | copy_options::overwrite_existing);
  }

  std::filesystem::path recorded_, root_;
};

}  // namespace slipway::machine_agent
