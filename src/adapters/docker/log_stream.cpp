#include "adapters/docker/log_stream.hpp"

#include <algorithm>

namespace slipway::docker {
namespace {
constexpr std::size_t kHeader = 8;
}

bool LogStream::begin_frame() {
  const auto byte = [this](std::size_t i) { return static_cast<unsigned char>(header_[i]); };
  broken_ = byte(0) > 2 || byte(1) != 0 || byte(2) != 0 || byte(3) != 0;
  to_ = byte(0) == 2 ? &err_ : &out_;
  left_ = std::size_t{byte(4)} << 24 | std::size_t{byte(5)} << 16 | std::size_t{byte(6)} << 8 |
          std::size_t{byte(7)};
  header_.clear();
  return !broken_;
}

bool LogStream::feed(std::string_view piece) {
  while (!piece.empty()) {
    if (broken_) return false;
    if (left_ > 0) {
      const auto part = piece.substr(0, left_);
      left_ -= part.size();
      piece.remove_prefix(part.size());
      if (!to_->feed(part)) return false;
      continue;
    }
    const auto part = piece.substr(0, kHeader - header_.size());
    header_.append(part);
    piece.remove_prefix(part.size());
    if (header_.size() == kHeader && !begin_frame()) return false;
  }
  return true;
}

void LogStream::finish() {
  if (out_.finish()) err_.finish();
}

Status LogStream::status() const {
  if (!broken_) return {};
  return Error{ErrorKind::kCorrupt, "engine.malformed",
               "the engine's stream of output has a frame that is none"};
}

}  // namespace slipway::docker
