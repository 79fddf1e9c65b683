#include "adapters/kafka/producer.hpp"

#include <atomic>
#include <mutex>
#include <set>
#include <thread>

#include "adapters/kafka/kafka_error.hpp"
#include "base/thread.hpp"

namespace slipway::kafka {
namespace {

constexpr int kPollMs = 100;
constexpr int kFlushMs = 3000;
constexpr milliseconds kMeetWithin{1000};

/// Travels with a message as its opaque and comes back in the delivery report.
struct Delivery {
  std::string topic;
  std::function<void(Status)> done;
};

Headers make_headers(const std::vector<ports::Header>& headers) {
  Headers out(rd_kafka_headers_new(headers.size()));
  for (const auto& [name, value] : headers)
    rd_kafka_header_add(out.get(), name.data(), static_cast<ssize_t>(name.size()), value.data(),
                        static_cast<ssize_t>(value.size()));
  return out;
}

}  // namespace

/// One librdkafka client and the thread that serves its delivery reports.
class Producer::Session {
 public:
  static Result<std::shared_ptr<Session>> create(const KafkaSettings& settings) {
    auto session = std::shared_ptr<Session>(new Session);
    SLIPWAY_ASSIGN(Conf conf, make_conf(settings,
                                        {{"linger.ms", "0"},
                                         {"compression.type", "lz4"},
                                         {"message.timeout.ms", "300000"},
                                         {"socket.keepalive.enable", "true"},
                                         {"reconnect.backoff.max.ms", "2000"},
                                         {"topic.metadata.refresh.interval.ms", "30000"},
                                         {"topic.metadata.propagation.max.ms", "5000"},
                                         {"queue.buffering.max.kbytes", "65536"}},
                                        {{"enable.idempotence", "true"},
                                         // More of them lose records: docs/decisions/0005.
                                         {"max.in.flight.requests.per.connection", "1"},
                                         {"partitioner", "murmur2_random"}}));
    rd_kafka_conf_set_opaque(conf.get(), session.get());
    rd_kafka_conf_set_dr_msg_cb(conf.get(), on_delivery);
    SLIPWAY_ASSIGN(session->client_, make_client(RD_KAFKA_PRODUCER, std::move(conf)));
    session->worker_ = std::make_unique<Worker>([raw = session->client_.get()](const std::stop_token& stop) {
      while (!stop.stop_requested()) rd_kafka_poll(raw, kPollMs);
    });
    return session;
  }

  /// Every message not yet acknowledged gets its report here: delivered in time, or kUnknown.
  ~Session() {
    if (!client_) return;
    worker_.reset();
    rd_kafka_flush(client_.get(), broken_ ? 0 : kFlushMs);
    rd_kafka_purge(client_.get(), RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    rd_kafka_flush(client_.get(), kFlushMs);
  }

  Status produce(const ports::Outgoing& record, WallTime now, std::function<void(Status)> done) {
    SLIPWAY_TRY(meet(record.topic));
    auto delivery = std::make_unique<Delivery>(record.topic, std::move(done));
    Headers headers = make_headers(headers_of(record, now));
    const char* value = record.value ? record.value->data() : nullptr;
    const std::size_t size = record.value ? record.value->size() : 0;
    const char* key = record.key.empty() ? nullptr : record.key.data();
    const auto code = rd_kafka_producev(
        client_.get(), RD_KAFKA_V_TOPIC(record.topic.c_str()), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
        // A value without bytes is not a tombstone: librdkafka takes the pointer for it.
        RD_KAFKA_V_VALUE(const_cast<char*>(record.value && size == 0 ? "" : value), size),
        RD_KAFKA_V_KEY(const_cast<char*>(key), record.key.size()), RD_KAFKA_V_HEADERS(headers.get()),
        RD_KAFKA_V_OPAQUE(delivery.get()), RD_KAFKA_V_END);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
      if (code == RD_KAFKA_RESP_ERR__FATAL) broken_ = true;
      return kafka_error(code, "publishing to " + record.topic);
    }
    (void)headers.release();   // both are the message's from here on
    (void)delivery.release();  // and come back in its report
    return {};
  }

  bool broken() const { return broken_; }
  /// Reports what is under way as kUnknown, soon.
  void give_up() { rd_kafka_purge(client_.get(), RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT); }

 private:
  Session() = default;

  /// Left to itself, librdkafka looks for a topic that is new to it once a second, and says only after
  /// `propagation.max` that there is none. A broker that is away is no error here: the message waits for it.
  Status meet(const std::string& topic) {
    {
      std::lock_guard lock(mutex_);
      if (met_.contains(topic)) return {};
    }
    const Topic handle(rd_kafka_topic_new(client_.get(), topic.c_str(), nullptr));
    if (!handle) return kafka_error(rd_kafka_last_error(), "publishing to " + topic);
    const auto deadline = std::chrono::steady_clock::now() + kMeetWithin;
    for (;;) {
      const rd_kafka_metadata_t* found = nullptr;
      const auto code = rd_kafka_metadata(client_.get(), 0, handle.get(), &found,
                                          static_cast<int>(milliseconds(kMeetWithin).count()));
      const Metadata owned(found);
      const auto topic_code =
          code == RD_KAFKA_RESP_ERR_NO_ERROR && found->topic_cnt == 1 ? found->topics[0].err : code;
      if (topic_code != RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART) break;
      if (std::chrono::steady_clock::now() > deadline)
        return kafka_error(topic_code, "publishing to " + topic);
      std::this_thread::sleep_for(milliseconds{50});
    }
    std::lock_guard lock(mutex_);
    met_.insert(topic);
    return {};
  }

  static void on_delivery(rd_kafka_t* client, const rd_kafka_message_t* message, void* opaque) noexcept {
    const std::unique_ptr<Delivery> delivery(static_cast<Delivery*>(message->_private));
    auto& session = *static_cast<Session*>(opaque);
    if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
      delivery->done({});
      return;
    }
    char text[512];
    if (rd_kafka_fatal_error(client, text, sizeof text) != RD_KAFKA_RESP_ERR_NO_ERROR) session.broken_ = true;
    delivery->done(kafka_error(message->err, "publishing to " + delivery->topic));
  }

  std::atomic<bool> broken_ = false;
  std::mutex mutex_;
  std::set<std::string> met_;  // guarded by mutex_
  Client client_;
  std::unique_ptr<Worker> worker_;  // last: polls the client
};

Producer::Producer(KafkaSettings settings, Clock& clock, Log log)
    : settings_(std::move(settings)), clock_(clock), log_(std::move(log)) {}

Producer::~Producer() = default;

Result<std::unique_ptr<Producer>> Producer::create(const KafkaSettings& settings, Clock& clock, Log log) {
  std::unique_ptr<Producer> producer(new Producer(settings, clock, std::move(log)));
  SLIPWAY_TRY(producer->session());
  return producer;
}

Result<std::shared_ptr<Producer::Session>> Producer::session() {
  std::lock_guard lock(mutex_);
  if (session_ && !session_->broken()) return session_;
  if (session_) {
    log_.warn("the Kafka producer met a fatal error and is made anew");
    session_->give_up();
    retired_.push_back(std::move(session_));
  }
  SLIPWAY_ASSIGN(session_, Session::create(settings_));
  return session_;
}

Status Producer::publish_later(const ports::Outgoing& record, std::function<void(Status)> done) {
  SLIPWAY_ASSIGN(const auto current, session());
  return current->produce(record, clock_.now(), std::move(done));
}

}  // namespace slipway::kafka
