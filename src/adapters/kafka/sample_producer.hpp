#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/log.hpp"
#include "base/result.hpp"
#include "ports/sample_transport.hpp"

namespace slipway::kafka {

/// The Machine Agent's way to Kafka: an idempotent producer for one topic and one key, without the rest of
/// the bus, so that the agent stays small. It never gives a sample up by itself: each waits for a broker for
/// as long as it takes. One thread; librdkafka's own threads only log.
class SampleProducer final : public ports::SampleTransport {
 public:
  struct Settings {
    std::string topic;
    std::string machine;  ///< the key
    std::string boot_id;  ///< with seq the CloudEvents id: the same when a sample is sent again
    /// librdkafka's options, such as bootstrap.servers; they win over our own.
    std::vector<std::pair<std::string, std::string>> properties;
  };
  /// invalid: an option that librdkafka does not know or take (its value is not repeated), or no brokers.
  static Result<std::unique_ptr<SampleProducer>> create(Settings settings, const Log& log);
  /// What is not confirmed is lost: drain first.
  ~SampleProducer() override;

  Status send(std::int64_t seq, WallTime t, std::string_view json) override;
  void poll(milliseconds timeout, const Report& report) override;
  Status health() const override;

 private:
  struct Client;
  explicit SampleProducer(std::unique_ptr<Client> client);
  std::unique_ptr<Client> client_;  // at a fixed address: librdkafka's callbacks hold it
};

}  // namespace slipway::kafka
