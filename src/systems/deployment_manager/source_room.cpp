#include "systems/deployment_manager/source_room.hpp"

#include <fmt/format.h>

namespace slipway::deployment_manager {

SourceRoom::Held& SourceRoom::Held::operator=(Held&& other) noexcept {
  if (this == &other) return *this;
  shrink_to(0);
  room_ = std::exchange(other.room_, nullptr);
  bytes_ = std::exchange(other.bytes_, 0);
  return *this;
}

void SourceRoom::Held::shrink_to(std::uint64_t bytes) {
  if (room_ == nullptr || bytes >= bytes_) return;
  room_->give_back(bytes_ - bytes);
  bytes_ = bytes;
}

Result<SourceRoom::Held> SourceRoom::take(std::uint64_t bytes, const std::stop_token& stop) {
  if (bytes > bytes_) return internal_error("source.no_room", fmt::format("{} bytes are never free", bytes));
  std::unique_lock lock(mutex_);
  if (!changed_.wait(lock, stop, [&] { return free_ >= bytes; }))
    return unavailable("source.no_room", "too many large sources are worked on at once",
                       "try again when their builds have ended");
  free_ -= bytes;
  return Held(*this, bytes);
}

void SourceRoom::give_back(std::uint64_t bytes) {
  {
    std::lock_guard lock(mutex_);
    free_ += bytes;
  }
  changed_.notify_all();
}

}  // namespace slipway::deployment_manager
