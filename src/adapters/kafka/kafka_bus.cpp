#include "adapters/kafka/kafka_bus.hpp"

#include <fmt/format.h>

#include <condition_variable>
#include <mutex>
#include <stop_token>

#include "adapters/kafka/admin.hpp"
#include "adapters/kafka/consumer.hpp"
#include "adapters/kafka/producer.hpp"

namespace slipway::kafka {
namespace {

using ports::TopicPartition;

constexpr std::chrono::seconds kPublishWithin{30};
constexpr std::chrono::seconds kPublishWithinAtTheEnd{2};
constexpr std::chrono::seconds kLastRecordWithin{5};

/// Waits for one delivery report; the callback may come after the waiter has gone.
class Receipt {
 public:
  void set(Status status) {
    std::lock_guard lock(mutex_);
    status_ = std::move(status);
    set_.notify_all();
  }
  /// Who is to end waits no longer than a broker that is there needs to answer.
  std::optional<Status> wait(const std::stop_token& ending) {
    const auto told = [&] { return status_.has_value(); };
    std::unique_lock lock(mutex_);
    if (!set_.wait_for(lock, ending, kPublishWithin, told) && ending.stop_requested())
      set_.wait_for(lock, kPublishWithinAtTheEnd, told);
    return status_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable_any set_;
  std::optional<Status> status_;
};

class KafkaBus final : public ports::Bus {
 public:
  KafkaBus(KafkaSettings settings, std::unique_ptr<Producer> producer, std::unique_ptr<Admin> admin,
           std::stop_token ending)
      : settings_(std::move(settings)),
        ending_(std::move(ending)),
        admin_(std::move(admin)),
        producer_(std::move(producer)) {}

  Status publish(const ports::Outgoing& record) override {
    const auto receipt = std::make_shared<Receipt>();
    SLIPWAY_TRY(
        producer_->publish_later(record, [receipt](Status status) { receipt->set(std::move(status)); }));
    if (auto status = receipt->wait(ending_)) return *std::move(status);
    return Error{ErrorKind::kUnknown, "kafka.timeout",
                 fmt::format("publishing to {}: no answer in time", record.topic)};
  }

  Status publish_later(const ports::Outgoing& record, std::function<void(Status)> done) override {
    return producer_->publish_later(record, std::move(done));
  }

  Result<std::unique_ptr<ports::Consumer>> join_group(const std::string& group,
                                                      std::vector<std::string> topics,
                                                      ports::RebalanceListener* listener) override {
    return make_group_consumer(settings_, group, topics, listener);
  }

  Result<std::unique_ptr<ports::Consumer>> read_all(std::vector<std::string> topics,
                                                    ports::From from) override {
    SLIPWAY_ASSIGN(const auto ranges, admin_->ranges(topics));
    std::map<TopicPartition, std::int64_t> positions;
    for (const auto& [at, range] : ranges)
      positions[at] = from == ports::From::kEnd ? range.end : range.begin;
    for (const auto& topic : topics)
      if (!positions.contains({topic, 0})) return not_found("kafka.no_topic", "there is no topic " + topic);
    return make_assigned_consumer(settings_, positions);
  }

  Status ensure_topics(std::span<const messages::TopicSpec> topics) override {
    return admin_->ensure_topics(topics);
  }
  Result<std::map<std::string, int>> partition_counts(std::span<const std::string> topics) override {
    return admin_->partitions(topics);
  }
  Result<std::string> cluster_id() override { return admin_->cluster_id(); }
  Result<int> group_members(const std::string& group) override { return admin_->group_members(group); }
  Result<std::map<std::string, bool>> group_reads(const std::string& group,
                                                  std::span<const std::string> topics) override {
    return admin_->group_reads(group, topics);
  }
  Result<std::map<TopicPartition, std::int64_t>> committed(const std::string& group,
                                                           std::span<const std::string> topics) override {
    return admin_->committed(group, topics);
  }
  Result<std::map<TopicPartition, Range>> ranges(std::span<const std::string> topics) override {
    return admin_->ranges(topics);
  }

  Result<std::optional<ports::Record>> last_record(const std::string& topic) override {
    const std::string topics[] = {topic};
    SLIPWAY_ASSIGN(const auto ranges, admin_->ranges(topics));
    std::map<TopicPartition, std::int64_t> positions;
    for (const auto& [at, range] : ranges)
      if (range.end > range.begin) positions[at] = range.end - 1;
    std::optional<ports::Record> last;
    if (positions.empty()) return last;
    const std::size_t wanted = positions.size();
    SLIPWAY_ASSIGN(const auto consumer, make_assigned_consumer(settings_, positions));
    const auto deadline = std::chrono::steady_clock::now() + kLastRecordWithin;
    std::map<TopicPartition, bool> seen;
    while (seen.size() < wanted && std::chrono::steady_clock::now() < deadline) {
      SLIPWAY_ASSIGN(auto records, consumer->poll(100, milliseconds{200}));
      for (auto& record : records) {
        seen[{record.topic, record.partition}] = true;
        if (!last || record.timestamp >= last->timestamp) last = std::move(record);
      }
    }
    // A partition may end in a transaction's mark, which is no record.
    return last;
  }

  Status commit_for(const std::string& group,
                    const std::map<TopicPartition, std::int64_t>& offsets) override {
    return admin_->commit_for(group, offsets);
  }
  Status ping(milliseconds timeout) override { return admin_->ping(timeout); }

 private:
  const KafkaSettings settings_;
  const std::stop_token ending_;
  std::unique_ptr<Admin> admin_;
  std::unique_ptr<Producer> producer_;  // last: its callbacks may use the others
};

}  // namespace

Result<std::unique_ptr<ports::Bus>> open_bus(const KafkaSettings& settings, Clock& clock, Log log,
                                             std::stop_token ending) {
  SLIPWAY_ASSIGN(auto admin, Admin::create(settings));
  SLIPWAY_ASSIGN(auto producer, Producer::create(settings, clock, std::move(log)));
  return std::make_unique<KafkaBus>(settings, std::move(producer), std::move(admin), std::move(ending));
}

}  // namespace slipway::kafka
