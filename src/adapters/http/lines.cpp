#include "adapters/http/lines.hpp"

namespace slipway::http {

bool LineSplitter::feed(std::string_view piece) {
  while (open_ && !piece.empty()) {
    const auto end = piece.find('\n');
    const auto part = piece.substr(0, end);
    if (line_.size() + part.size() > kMost) {
      line_.append(part.substr(0, kMost - line_.size()));
      cut_ = true;
    } else {
      line_.append(part);
    }
    if (end == std::string_view::npos) break;
    hand_over();
    piece.remove_prefix(end + 1);
  }
  return open_;
}

bool LineSplitter::finish() {
  if (open_ && !line_.empty()) hand_over();
  return open_;
}

bool LineSplitter::hand_over() {
  if (cut_) {
    line_.append(kCut);
  } else if (line_.ends_with('\r')) {
    line_.pop_back();
  }
  open_ = on_line_(line_);
  line_.clear();
  cut_ = false;
  return open_;
}

}  // namespace slipway::http
