#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/log.hpp"
#include "base/thread.hpp"
#include "ports/bus.hpp"
#include "ports/stores/attempts.hpp"

namespace slipway::ports {

/// How every manager reads its requests: one consumer group, one thread, records handed over one at a time in
/// order, the offset stored only after the handler's effect is stored. A handler's answer decides what
/// happens to the record:
///   success          -> offset stored
///   retryable error  -> the same record again after a growing pause, for as long as it takes; polling goes
///   on any other error  -> the original bytes to the dead-letter topic with the reason, then offset stored
/// A record without a value goes to the dead-letter topic unasked (`request.empty`). The destructor waits for
/// the handler under way, stores nothing more and leaves the group.
class RequestLoop {
 public:
  using Handler = std::function<Status(const Record&)>;
  struct Options {
    std::string group;
    std::vector<std::string> topics;
    std::string deadletter_topic;
    std::string source;  ///< CloudEvents source of dead letters: "/sensor_manager"
    /// Where attempts are counted: a record whose handler ended the process three times goes to the
    /// dead-letter topic unread (`request.crashed_the_server`). None: nothing is counted.
    Table<Attempts>* attempts = nullptr;
  };
  RequestLoop(Bus& bus, Clock& clock, Log log, Options options, Handler handler);
  ~RequestLoop();

 private:
  struct State;
  void run(const std::stop_token& stop);
  std::unique_ptr<State> state_;
  Worker worker_;  // last: its body uses all the others
};

/// The request that `record` holds, read with its parse function of the messages. The record has a value: a
/// RequestLoop hands over no other.
template <class Parse>
auto read_request(Bus& bus, const Record& record, Parse parse)
    -> decltype(parse(*record.value, record.key, messages::RecordPlace{})) {
  SLIPWAY_ASSIGN(const auto cluster, bus.cluster_id());
  return parse(record.value.value_or(""), record.key, place_of(record, cluster));
}

/// Reads topics alone (registry and state from the beginning; replies, status, events from the end) and hands
/// each record over, tombstones too, on one thread. The handler must not block for long. Topics that are
/// missing are waited for.
class TopicReader {
 public:
  using Handler = std::function<void(const Record&)>;
  TopicReader(Bus& bus, Clock& clock, Log log, std::vector<std::string> topics, From from, Handler handler);
  ~TopicReader();
  /// True once the reader's starting positions are fixed: what is published from now on will be seen.
  bool wait_ready(milliseconds timeout) const;
  /// True once everything that was there at the start has been handed over.
  bool wait_caught_up(milliseconds timeout) const;

 private:
  struct State;
  void run(const std::stop_token& stop);
  std::unique_ptr<State> state_;
  Worker worker_;  // last: its body uses all the others
};

}  // namespace slipway::ports
