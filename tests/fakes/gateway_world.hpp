#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>

#include "gateway/gateway.hpp"
#include "tests/fakes/fake_bus.hpp"
#include "tests/fakes/fake_engine.hpp"
#include "tests/fakes/fake_http_server.hpp"
#include "tests/fakes/fake_repository.hpp"

namespace slipway::gateway {

/// A gateway with a world in memory around it; time is real, its periods are short.
class GatewayTest : public testing::Test {
 protected:
  GatewayTest() {
    settings.reply_deadline = milliseconds{2'000};
    settings.look_interval = milliseconds{20};
    settings.version = "0.1.0";
    EXPECT_TRUE(bus.ensure_topics(topics.all()));
  }
  void start() {
    gateway =
        std::make_unique<Gateway>(server, bus, repository, engines, clock, Log::silent(), topics, settings);
  }
  nlohmann::json get(const std::string& target, int status = 200) {
    const auto answer = server.ask("GET", target);
    EXPECT_EQ(answer.status, status) << target << ": " << answer.body;
    return nlohmann::json::parse(answer.body, nullptr, false);
  }
  /// Asks until `good` says so; the last answer.
  template <class Good>
  nlohmann::json wait_for(const std::string& target, Good good) {
    nlohmann::json last;
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds{5};
    do {
      last = nlohmann::json::parse(server.ask("GET", target).body, nullptr, false);
      if (good(last)) return last;
      std::this_thread::yield();
    } while (std::chrono::steady_clock::now() < deadline);
    ADD_FAILURE() << target << " never became right: " << last.dump(2);
    return last;
  }

  struct OneEngine final : ports::Engines {
    explicit OneEngine(Clock& clock) : engine(std::make_shared<fakes::FakeEngine>(&clock)) {}
    Result<std::shared_ptr<ports::Engine>> open(const std::string&, const std::string&) override {
      return std::shared_ptr<ports::Engine>(engine);
    }
    std::shared_ptr<fakes::FakeEngine> engine;
  };

  SystemClock clock;
  messages::Topics topics;
  fakes::FakeBus bus;
  fakes::FakeRepository repository{clock};
  OneEngine engines{clock};
  fakes::FakeHttpServer server;
  GatewaySettings settings;
  std::unique_ptr<Gateway> gateway;  // last: uses all the others
};

}  // namespace slipway::gateway
