#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/backoff.hpp"
#include "base/clock.hpp"
#include "base/log.hpp"
#include "ports/sample_transport.hpp"
#include "systems/machine_agent/spool.hpp"

namespace slipway::machine_agent {

/// Sends samples in their order and keeps each until the broker has confirmed it. After a failure it waits
/// until everything under way has ended, then goes back to the oldest unconfirmed one: what arrives twice has
/// the same id, so that consumers drop it. One thread.
class Sender {
 public:
  struct Limits {
    std::size_t spool_bytes = std::size_t{24} << 20;  ///< the container has 64 MiB in all
    std::size_t under_way = 256;                      ///< samples handed to the transport at a time
  };
  /// How sending goes, for the state file.
  struct State {
    bool reachable = false;         ///< the broker confirms what it is sent
    std::optional<WallTime> since;  ///< of `reachable`; nothing before the first answer
    std::string problem;            ///< the last failure, while not reachable
    std::optional<WallTime> last_ack;
    std::size_t spooled = 0, bytes = 0;
    std::optional<WallTime> oldest;
    std::int64_t dropped = 0;
  };

  Sender(ports::SampleTransport& transport, Clock& clock, Limits limits, Log log);

  void put(std::int64_t seq, WallTime t, std::string_view json);
  /// Sends what there is, until `most` has passed or nothing is left to hand over. Waits only for a backlog.
  void run(milliseconds most);
  /// Until all is confirmed, `most` at most; true if so.
  bool drain(milliseconds most);

  State state() const;
  std::int64_t dropped() const { return spool_.dropped(); }

 private:
  void collect(milliseconds timeout);
  void report(std::int64_t seq, const Status& result);
  void hand_over();
  bool has_backlog() const { return spool_.size() > spool_.sent(); }
  void set_reachable(bool reachable, const std::string& problem);

  ports::SampleTransport& transport_;
  Clock& clock_;
  const Limits limits_;
  const Log log_;

  Spool spool_;
  Backoff backoff_;
  bool going_back_ = false;  // something failed: nothing new until all under way has ended
  MonoTime retry_at_{};
  std::optional<MonoTime> waiting_since_;  // nothing was confirmed since, though something was under way
  State state_;
};

}  // namespace slipway::machine_agent
