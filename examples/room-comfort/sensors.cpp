#include "sensors.hpp"

#include <librdkafka/rdkafkacpp.h>

#include <cstdlib>
#include <fstream>
#include <iostream>
#include <map>
#include <memory>
#include <stdexcept>

namespace {

std::string needed(const char* name) {
  const char* value = std::getenv(name);
  if (value == nullptr) throw std::runtime_error(std::string(name) + " is not set: does Slipway run this?");
  return value;
}

/// The client settings of this site (brokers, and what they want to see: TLS, passwords), and `own` over
/// them.
std::unique_ptr<RdKafka::Conf> settings(const std::map<std::string, std::string>& own) {
  std::unique_ptr<RdKafka::Conf> conf(RdKafka::Conf::create(RdKafka::Conf::CONF_GLOBAL));
  std::string error;
  const auto set = [&](const std::string& key, const std::string& value) {
    if (conf->set(key, value, error) != RdKafka::Conf::CONF_OK) throw std::runtime_error(key + ": " + error);
  };
  std::ifstream file("/run/slipway/kafka.properties");
  for (std::string line; std::getline(file, line);)
    if (const auto equals = line.find('='); equals != std::string::npos && line[0] != '#')
      set(line.substr(0, equals), line.substr(equals + 1));
  for (const auto& [key, value] : own) set(key, value);
  return conf;
}

template <class T>
std::unique_ptr<T> made(T* client, const std::string& error) {
  if (client == nullptr) throw std::runtime_error(error);
  return std::unique_ptr<T>(client);
}

std::optional<double> field(const RdKafka::Message& message, const char* name) {
  const char* begin = static_cast<const char*>(message.payload());
  const auto reading = nlohmann::json::parse(begin, begin + message.len(), nullptr, false);
  if (!reading.is_object() || !reading.contains(name) || !reading[name].is_number()) return std::nullopt;
  return reading[name].get<double>();
}

}  // namespace

void read_sensors(Comfort& comfort, const std::atomic<bool>& stopping) {
  const std::string temperature = needed("SLIPWAY_SENSOR_TEMPERATURE_TOPIC");
  const std::string humidity = needed("SLIPWAY_SENSOR_HUMIDITY_TOPIC");
  std::string error;
  const auto reading = settings({{"group.id", needed("SLIPWAY_KAFKA_GROUP")},
                                 {"group.instance.id", needed("SLIPWAY_KAFKA_GROUP_INSTANCE")},
                                 {"session.timeout.ms", "10000"},
                                 {"auto.offset.reset", "earliest"},
                                 {"auto.commit.interval.ms", "1000"}});
  const auto writing =
      settings({{"enable.idempotence", "true"}, {"max.in.flight.requests.per.connection", "1"}});
  const auto consumer = made(RdKafka::KafkaConsumer::create(reading.get(), error), error);
  const auto producer = made(RdKafka::Producer::create(writing.get(), error), error);
  consumer->subscribe({temperature, humidity});
  while (!stopping) {
    const std::unique_ptr<RdKafka::Message> message(consumer->consume(500));
    producer->poll(0);
    if (message->err() == RdKafka::ERR__TIMED_OUT) continue;
    if (message->err() != RdKafka::ERR_NO_ERROR) {
      std::cout << "kafka: " << message->errstr() << std::endl;
      continue;
    }
    const bool warm = message->topic_name() == temperature;
    const auto value = field(*message, warm ? "temperature" : "humidity");
    if (!value) continue;
    warm ? comfort.temperature(*value) : comfort.humidity(*value);
    std::string told = comfort.told().dump();
    producer->produce("room-comfort", RdKafka::Topic::PARTITION_UA, RdKafka::Producer::RK_MSG_COPY,
                      told.data(), told.size(), "office", 6, 0, nullptr);
  }
  consumer->close();
  producer->flush(5000);
}
