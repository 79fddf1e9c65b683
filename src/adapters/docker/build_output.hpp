#pragma once

#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/http/lines.hpp"
#include "ports/engine.hpp"

namespace slipway::docker {

/// What a classic build says, a JSON object a line: hands its text over by lines, keeps the last of them, the
/// image's id and the error. HTTP 200 says nothing: a failing RUN comes as an object too.
class BuildOutput {
 public:
  explicit BuildOutput(const ports::LineHandler& on_line);
  void feed(std::string_view json_line);
  void finish() { text_.finish(); }

  const std::string& image_id() const { return image_id_; }  ///< empty if the build did not get there
  const std::string& error() const { return error_; }        ///< the engine's words, or empty
  std::vector<std::string> last_lines() const { return {last_.begin(), last_.end()}; }

 private:
  void take(std::string_view line);

  const ports::LineHandler& on_line_;
  http::LineSplitter text_;
  std::deque<std::string> last_;
  std::string image_id_, error_;
};

}  // namespace slipway::docker
