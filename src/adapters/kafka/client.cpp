#include "adapters/kafka/client.hpp"

#include <fmt/format.h>

#include "adapters/kafka/kafka_error.hpp"

namespace slipway::kafka {
namespace {

// librdkafka says on its own thread what our calls report as errors anyway; only what nobody else would say
// is worth a line.
void on_log(const rd_kafka_t* /*client*/, int level, const char* facility, const char* text) noexcept {
  constexpr int kCritical = 2;  // syslog
  if (level <= kCritical) fmt::print(stderr, "librdkafka {}: {}\n", facility, text);
}

Status set(rd_kafka_conf_t* conf, const Properties& properties) {
  char text[512];
  for (const auto& [name, value] : properties)
    if (rd_kafka_conf_set(conf, name.c_str(), value.c_str(), text, sizeof text) != RD_KAFKA_CONF_OK)
      return invalid("kafka.setting", fmt::format("Kafka client setting {}: {}", name, text));
  return {};
}

}  // namespace

Result<Conf> make_conf(const KafkaSettings& settings, const Properties& defaults, const Properties& needed) {
  if (settings.brokers.empty())
    return invalid("kafka.setting", "no Kafka brokers are configured", "set kafka.brokers: host:port");
  Conf conf(rd_kafka_conf_new());
  rd_kafka_conf_set_log_cb(conf.get(), on_log);
  SLIPWAY_TRY(set(conf.get(), {{"client.id", "slipway"}}));
  SLIPWAY_TRY(set(conf.get(), defaults));
  SLIPWAY_TRY(set(conf.get(), settings.properties));
  SLIPWAY_TRY(set(conf.get(), needed));
  SLIPWAY_TRY(set(conf.get(), {{"bootstrap.servers", settings.brokers}}));
  return conf;
}

Result<Client> make_client(rd_kafka_type_t type, Conf conf) {
  char text[512];
  Client client(rd_kafka_new(type, conf.get(), text, sizeof text));
  if (!client) return invalid("kafka.setting", fmt::format("the Kafka client cannot be made: {}", text));
  (void)conf.release();  // the client's from here on
  return client;
}

PartitionList make_partition_list() {
  return PartitionList(rd_kafka_topic_partition_list_new(16));
}

}  // namespace slipway::kafka
