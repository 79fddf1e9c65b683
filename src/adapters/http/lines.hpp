#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace slipway::http {

/// Cuts pieces of a text into lines. A line longer than `kMost` is handed over up to there, followed by kCut,
/// and its rest is dropped: a stream never needs more memory than that. Ends ("\n", "\r\n") are not part of a
/// line.
class LineSplitter {
 public:
  static constexpr std::size_t kMost = 64U << 10;
  static constexpr std::string_view kCut = " [cut]";

  /// `on_line` returns false to be called no more.
  explicit LineSplitter(std::function<bool(std::string_view)> on_line) : on_line_(std::move(on_line)) {}
  /// False once the handler has said false.
  bool feed(std::string_view piece);
  /// Hands over what stands after the last line end, if anything.
  bool finish();

 private:
  bool hand_over();

  std::function<bool(std::string_view)> on_line_;
  std::string line_;
  bool cut_ = false;
  bool open_ = true;
};

}  // namespace slipway::http
