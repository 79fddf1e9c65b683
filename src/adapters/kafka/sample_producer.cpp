#include "adapters/kafka/sample_producer.hpp"

#include <fmt/format.h>
#include <librdkafka/rdkafka.h>
#include <sys/prctl.h>

#include <array>

#include "base/time_text.hpp"

namespace slipway::kafka {
namespace {

struct HandleDeleter {
  void operator()(rd_kafka_t* handle) const { rd_kafka_destroy(handle); }
};
using Handle = std::unique_ptr<rd_kafka_t, HandleDeleter>;
struct ConfDeleter {
  void operator()(rd_kafka_conf_t* conf) const { rd_kafka_conf_destroy(conf); }
};
using Conf = std::unique_ptr<rd_kafka_conf_t, ConfDeleter>;

constexpr std::array<std::pair<const char*, const char*>, 12> kDefaults{{
    {"client.id", "slipway-agent"},
    {"enable.idempotence", "true"},
    {"max.in.flight.requests.per.connection", "1"},  // more of them lose samples: docs/decisions/0005
    {"partitioner", "murmur2_random"},               // Java's, so that the key's partition is everybody's
    {"linger.ms", "0"},  // one sample a second has no company to wait for; a backlog batches by itself
    {"message.timeout.ms", "0"},  // none: the spool decides what is dropped
    {"queue.buffering.max.kbytes", "8192"},
    {"queue.buffering.max.messages", "1000"},
    {"socket.keepalive.enable", "true"},
    {"reconnect.backoff.ms", "200"},
    {"reconnect.backoff.max.ms", "5000"},
    {"log_level", "4"},
}};

Error to_error(rd_kafka_resp_err_t code, std::string_view doing, std::string_view detail = {}) {
  auto message = fmt::format("{}: {}", doing, detail.empty() ? rd_kafka_err2str(code) : detail);
  switch (code) {
    case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
    case RD_KAFKA_RESP_ERR_INVALID_MSG:
    case RD_KAFKA_RESP_ERR_INVALID_RECORD:
      return invalid("kafka.refused", std::move(message));
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR__AUTHENTICATION:
    case RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED:
      return denied("kafka.denied", std::move(message));
    default:
      return unavailable("kafka.unavailable", std::move(message));
  }
}

/// Lets the threads that are started meanwhile wake up a little late. librdkafka 2.0 rounds its main thread's
/// waits down to milliseconds and then turns in a loop until its timer is due, each second for 0.8 ms: more
/// than measuring costs in all. Waking up after the timer, it finds it due at once.
class LateWakeUps {
 public:
  LateWakeUps() { ::prctl(PR_SET_TIMERSLACK, kSlackNs); }
  LateWakeUps(const LateWakeUps&) = delete;
  LateWakeUps& operator=(const LateWakeUps&) = delete;
  ~LateWakeUps() { ::prctl(PR_SET_TIMERSLACK, 0UL); }  // 0: the thread's default again

 private:
  static constexpr unsigned long kSlackNs = 2'000'000;
};

Result<Conf> make_conf(const SampleProducer::Settings& settings) {
  Conf conf{rd_kafka_conf_new()};
  std::array<char, 512> problem{};
  for (const auto& [name, value] : kDefaults)
    if (rd_kafka_conf_set(conf.get(), name, value, problem.data(), problem.size()) != RD_KAFKA_CONF_OK)
      return internal_error("kafka.option", fmt::format("{}: {}", name, problem.data()));
  bool has_brokers = false;
  for (const auto& [name, value] : settings.properties) {
    if (rd_kafka_conf_set(conf.get(), name.c_str(), value.c_str(), problem.data(), problem.size()) !=
        RD_KAFKA_CONF_OK)
      return invalid("kafka.option", "kafka.properties: option '" + name + "' or its value is not accepted",
                     "see librdkafka's CONFIGURATION.md");
    if (name == "bootstrap.servers" || name == "metadata.broker.list") has_brokers = !value.empty();
  }
  if (!has_brokers) return invalid("kafka.option", "kafka.properties: bootstrap.servers is missing");
  return conf;
}

struct Header {
  const char* name;
  std::string value;
};

}  // namespace

struct SampleProducer::Client {
  Client(Settings given, const Log& logger) : settings(std::move(given)), log(logger) {}

  Status open();
  void reopen();
  rd_kafka_headers_t* make_headers(std::int64_t seq, WallTime t) const;
  static void on_report(rd_kafka_t*, const rd_kafka_message_t* message, void* self);
  static void on_error(rd_kafka_t* handle, int code, const char* reason, void* self);
  static void on_log(const rd_kafka_t* handle, int level, const char* facility, const char* text);

  const Settings settings;
  const Log log;
  Handle handle;
  const Report* report = nullptr;  // set during poll(): delivery reports come from inside it
  bool fatal = false;
  Status health{};
};

Status SampleProducer::Client::open() {
  SLIPWAY_ASSIGN(auto conf, make_conf(settings));
  rd_kafka_conf_set_opaque(conf.get(), this);
  rd_kafka_conf_set_dr_msg_cb(conf.get(), &Client::on_report);
  rd_kafka_conf_set_error_cb(conf.get(), &Client::on_error);
  rd_kafka_conf_set_log_cb(conf.get(), &Client::on_log);
  std::array<char, 512> problem{};
  const LateWakeUps for_its_threads;
  handle.reset(rd_kafka_new(RD_KAFKA_PRODUCER, conf.get(), problem.data(), problem.size()));
  if (!handle) return invalid("kafka.option", fmt::format("kafka.properties: {}", problem.data()));
  conf.release();  // taken over by rd_kafka_new
  return {};
}

// After a fatal error a producer takes nothing any more: all that is under way ends as failed, a new one
// starts.
void SampleProducer::Client::reopen() {
  constexpr int kPatienceMs = 1000;
  rd_kafka_purge(handle.get(), RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
  rd_kafka_flush(handle.get(), kPatienceMs);
  fatal = false;
  handle.reset();
  if (const auto opened = open(); !opened) log.error("kafka producer not started again", opened.error());
}

rd_kafka_headers_t* SampleProducer::Client::make_headers(std::int64_t seq, WallTime t) const {
  const std::array<Header, 7> headers{{
      {"ce_id", fmt::format("{}-{}", settings.boot_id, seq)},
      {"ce_source", "/machines/" + settings.machine},
      {"ce_type", "slipway.machine.stats.v1"},
      {"ce_specversion", "1.0"},
      {"ce_time", to_rfc3339(t)},
      {"ce_subject", settings.machine},
      {"content-type", "application/json"},
  }};
  auto* made = rd_kafka_headers_new(headers.size());
  for (const auto& header : headers)
    rd_kafka_header_add(made, header.name, -1, header.value.data(),
                        static_cast<ssize_t>(header.value.size()));
  return made;
}

void SampleProducer::Client::on_report(rd_kafka_t*, const rd_kafka_message_t* message, void* self) {
  auto& client = *static_cast<Client*>(self);
  const auto seq = static_cast<std::int64_t>(reinterpret_cast<std::intptr_t>(message->_private));
  Status result;
  if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
    result = to_error(message->err, "sending a sample");
    client.health = result;
  } else {
    client.health = {};
  }
  if (client.report != nullptr) (*client.report)(seq, result);
}

void SampleProducer::Client::on_error(rd_kafka_t* handle, int code, const char* reason, void* self) {
  auto& client = *static_cast<Client*>(self);
  const auto error = static_cast<rd_kafka_resp_err_t>(code);
  client.health = to_error(error, "kafka", reason);
  if (error != RD_KAFKA_RESP_ERR__FATAL) return;
  std::array<char, 512> problem{};
  rd_kafka_fatal_error(handle, problem.data(), problem.size());
  client.log.error("kafka producer gave up, starts again", {{"error", problem.data()}});
  client.fatal = true;
}

void SampleProducer::Client::on_log(const rd_kafka_t* handle, int level, const char* facility,
                                    const char* text) {
  constexpr int kSyslogWarning = 4;
  const auto& client = *static_cast<const Client*>(rd_kafka_opaque(handle));
  if (level <= kSyslogWarning) client.log.warn(text, {{"facility", facility}});
}

SampleProducer::SampleProducer(std::unique_ptr<Client> client) : client_(std::move(client)) {}

SampleProducer::~SampleProducer() {
  if (client_->handle)
    rd_kafka_purge(client_->handle.get(), RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
}

Result<std::unique_ptr<SampleProducer>> SampleProducer::create(Settings settings, const Log& log) {
  auto client = std::make_unique<Client>(std::move(settings), log);
  SLIPWAY_TRY(client->open());
  return std::unique_ptr<SampleProducer>{new SampleProducer{std::move(client)}};
}

Status SampleProducer::send(std::int64_t seq, WallTime t, std::string_view json) {
  if (!client_->handle || client_->fatal)
    return unavailable("kafka.unavailable", "the producer is starting again");
  auto* headers = client_->make_headers(seq, t);
  const auto& machine = client_->settings.machine;
  const auto code = rd_kafka_producev(
      client_->handle.get(), RD_KAFKA_V_TOPIC(client_->settings.topic.c_str()),
      RD_KAFKA_V_KEY(machine.data(), machine.size()),
      RD_KAFKA_V_VALUE(const_cast<char*>(json.data()), json.size()), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
      RD_KAFKA_V_TIMESTAMP(to_ms(t)), RD_KAFKA_V_HEADERS(headers),
      RD_KAFKA_V_OPAQUE(reinterpret_cast<void*>(static_cast<std::intptr_t>(seq))), RD_KAFKA_V_END);
  if (code == RD_KAFKA_RESP_ERR_NO_ERROR) return {};
  rd_kafka_headers_destroy(headers);
  return to_error(code, "queueing a sample");
}

void SampleProducer::poll(milliseconds timeout, const Report& report) {
  client_->report = &report;
  if (client_->handle) rd_kafka_poll(client_->handle.get(), static_cast<int>(timeout.count()));
  if (client_->fatal || !client_->handle) client_->reopen();
  client_->report = nullptr;
}

Status SampleProducer::health() const {
  return client_->health;
}

}  // namespace slipway::kafka
