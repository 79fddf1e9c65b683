#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "adapters/http/lines.hpp"
#include "base/result.hpp"

namespace slipway::docker {

/// Takes an engine's multiplexed stream of standard output and error apart and hands over its lines, each
/// from one of the two. Frames: one byte 1 or 2, three zero bytes, a big-endian length, so many bytes
/// ("Stream format" of POST /containers/{id}/attach).
class LogStream {
 public:
  /// `on_line` returns false to be called no more.
  explicit LogStream(std::function<bool(std::string_view)> on_line)
      : out_(on_line), err_(std::move(on_line)) {}
  /// False when the handler has enough or the stream is none of ours: see status().
  bool feed(std::string_view piece);
  /// Hands over what has no line end.
  void finish();
  /// engine.malformed (kCorrupt) after a frame that is none.
  Status status() const;

 private:
  bool begin_frame();

  http::LineSplitter out_, err_;
  std::string header_;
  std::size_t left_ = 0;  // bytes of the frame that are still to come
  http::LineSplitter* to_ = nullptr;
  bool broken_ = false;
};

}  // namespace slipway::docker
