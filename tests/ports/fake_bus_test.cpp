#include "tests/fakes/fake_bus.hpp"
#include "tests/ports/bus_suite.hpp"

namespace slipway::tests {
namespace {

INSTANTIATE_TEST_SUITE_P(fake, BusSuite, testing::Values([]() -> std::unique_ptr<ports::Bus> {
                           static fakes::FakeBus world;  // one broker for all tests, as there
                           return std::make_unique<fakes::FakeBus>(world);
                         }));

}  // namespace
}  // namespace slipway::tests
