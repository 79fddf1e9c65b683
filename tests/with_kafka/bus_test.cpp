#include <cstdlib>
#include <stdexcept>

#include "adapters/kafka/kafka_bus.hpp"
#include "tests/ports/bus_suite.hpp"

namespace slipway::tests {
namespace {

SystemClock& system_clock() {
  static SystemClock clock;
  return clock;
}

/// A broker that is missing is a failure, never a skip.
std::unique_ptr<ports::Bus> open_real_bus() {
  const char* brokers = std::getenv("KAFKA_BROKERS");
  if (brokers == nullptr) throw std::runtime_error("KAFKA_BROKERS is not set: run ./dev test, or ./dev env");
  auto bus = kafka::open_bus({brokers, {}}, system_clock(), Log::silent());
  if (!bus) throw std::runtime_error(to_string(bus.error()));
  return std::move(*bus);
}

INSTANTIATE_TEST_SUITE_P(kafka, BusSuite, testing::Values(open_real_bus));

}  // namespace
}  // namespace slipway::tests
