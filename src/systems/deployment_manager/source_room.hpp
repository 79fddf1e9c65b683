#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <stop_token>
#include <utility>

#include "base/result.hpp"

namespace slipway::deployment_manager {

/// Memory for sources, counted: an archive is held from `fetched` until its build has ended, many deployments
/// run at once, and the process must stay small whatever they bring. Any thread may call; outlives what was
/// taken.
class SourceRoom {
 public:
  /// Gives back what it holds when it goes.
  class Held {
   public:
    Held() = default;
    Held(Held&& other) noexcept
        : room_(std::exchange(other.room_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}
    Held& operator=(Held&& other) noexcept;
    ~Held() { shrink_to(0); }
    void shrink_to(std::uint64_t bytes);

   private:
    friend SourceRoom;
    Held(SourceRoom& room, std::uint64_t bytes) : room_(&room), bytes_(bytes) {}
    SourceRoom* room_ = nullptr;
    std::uint64_t bytes_ = 0;
  };

  explicit SourceRoom(std::uint64_t bytes) : bytes_(bytes), free_(bytes) {}
  /// Waits until so much is free. kUnavailable `source.no_room` when stopped while waiting.
  Result<Held> take(std::uint64_t bytes, const std::stop_token& stop);

 private:
  void give_back(std::uint64_t bytes);

  const std::uint64_t bytes_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::uint64_t free_;  // guarded by mutex_
};

}  // namespace slipway::deployment_manager
