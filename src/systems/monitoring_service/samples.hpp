#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <stop_token>
#include <string>

#include "base/backoff.hpp"
#include "base/clock.hpp"
#include "base/log.hpp"
#include "messages/topics.hpp"
#include "ports/bus.hpp"
#include "ports/repository.hpp"
#include "systems/monitoring_service/minutes.hpp"

namespace slipway::monitoring_service {

/// The way of the samples: from Kafka into the minutes, and the offsets back. One thread: run().
class Samples final : ports::RebalanceListener {
 public:
  Samples(ports::Bus& bus, ports::Repository& repository, Clock& clock, Log log, messages::Topics topics,
          MinutesSettings minutes, std::size_t most_waiting);
  ~Samples() override;

  /// Until `stop` is requested; then stores what is unsaved, once.
  void run(const std::stop_token& stop);

 private:
  void assigned(std::span<const ports::TopicPartition> partitions) override;
  void revoked(std::span<const ports::TopicPartition> partitions) override;

  void join(const std::stop_token& stop);
  void read(const std::stop_token& stop);
  void fold_waiting();
  Status take(const ports::Record& record);
  Status place(const ports::Record& record, const messages::MachineSample& sample);
  void flush();
  void store_offsets();
  void trouble(const std::string& doing, const Error& error);
  void forget(std::span<const ports::TopicPartition> partitions);

  ports::Bus& bus_;
  ports::Repository& repository_;
  Clock& clock_;
  const Log log_;
  const messages::Topics topics_;
  const MinutesSettings minutes_settings_;
  const std::size_t most_waiting_;

  std::optional<Minutes> minutes_;      // made when the cluster is known
  std::deque<ports::Record> waiting_;   // read, not folded yet
  std::map<int, std::int64_t> next_;    // partition -> the offset after the last one that was folded
  std::map<int, std::int64_t> stored_;  // partition -> offset given to the consumer
  Backoff pause_;
  MonoTime not_before_{};  // of the next try after trouble with the Repository
  MonoTime last_poll_{};
  std::unique_ptr<ports::Consumer> consumer_;  // last: its end calls revoked()
};

}  // namespace slipway::monitoring_service
