#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

#include "base/clock.hpp"

namespace slipway::machine_agent {

/// Samples that the broker has not confirmed yet, oldest first, in memory and bounded: where the bytes do not
/// suffice, the oldest that is not under way is dropped and counted. Not for sharing between threads.
class Spool {
 public:
  explicit Spool(std::size_t most_bytes) : most_bytes_(most_bytes) {}

  struct Item {
    std::int64_t seq = 0;
    WallTime t{};
    std::string json;
    bool sent = false;   // handed to the transport, not answered
    bool acked = false;  // confirmed, waits for older ones to go
  };

  /// `seq` must be higher than all before. False if this very sample was dropped: all the room is under way.
  bool put(std::int64_t seq, WallTime t, std::string_view json);
  /// The oldest that is neither under way nor confirmed; nullptr if there is none.
  Item* next();
  void mark_sent(Item& item);
  /// Ends the waiting of `seq`: confirmed, or given up for good (counted as dropped).
  void confirm(std::int64_t seq) { finish(seq, false); }
  void give_up(std::int64_t seq) { finish(seq, true); }
  /// `seq` is not under way any more and will be handed out again by next().
  void take_back(std::int64_t seq);

  std::size_t size() const { return items_.size(); }
  std::size_t bytes() const { return bytes_; }
  std::size_t sent() const { return sent_; }
  std::int64_t dropped() const { return dropped_; }
  /// When the oldest one was measured. REQUIRES: size() > 0.
  WallTime oldest() const { return items_.front().t; }

 private:
  void finish(std::int64_t seq, bool is_dropped);
  Item* find(std::int64_t seq);
  bool make_room(std::size_t wanted);
  void erase(std::size_t index);

  std::size_t most_bytes_;
  std::deque<Item> items_;
  std::size_t next_ = 0;  // no item before it is to be handed out
  std::size_t bytes_ = 0, sent_ = 0;
  std::int64_t dropped_ = 0;
};

}  // namespace slipway::machine_agent
