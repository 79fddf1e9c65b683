#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <nlohmann/json.hpp>
#include <set>

#include "base/thread.hpp"
#include "messages/machine_sample.hpp"
#include "systems/deployment_manager/deployment_manager.hpp"
#include "tests/fakes/fake_archives.hpp"
#include "tests/fakes/fake_bus.hpp"
#include "tests/fakes/fake_engine.hpp"
#include "tests/fakes/fake_repository.hpp"
#include "tests/fakes/leaping_clock.hpp"

namespace slipway::deployment_manager {

using namespace std::chrono_literals;
using messages::Stage;
using messages::State;
using Statuses = std::vector<messages::DeploymentStatus>;

inline constexpr std::string_view kMeta =
    "name: shop\nruntime: python@3.11\ncommand: python main.py\nports: [\"0:8080\"]\nupdate: {healthy_for: "
    "100ms}\n";
inline constexpr std::string_view kSensorMeta =
    "name: shop\nruntime: python@3.11\ncommand: python main.py\nports: [\"0:8080\"]\nupdate: {healthy_for: "
    "100ms}\nsensors: [{name: air, type: temperature}]\n";
inline constexpr std::string_view kEndpoint = "unix:///var/run/docker.sock";

// A site in memory: a Deployment Manager on fakes, one machine, an agent whose samples come by themselves.
class Deploying : public ::testing::Test {
 protected:
  Deploying() {
    EXPECT_TRUE(bus_.ensure_topics(topics_.all()));
    engine().add_image({.id = "sha256:base", .tags = {"base:1"}});
    engine().add_image({.id = "sha256:agent", .tags = {"slipway/agent:1"}});
    EXPECT_TRUE(repository_.machines().put({{.name = "edge-1", .docker = std::string(kEndpoint)}}));
    put_source(std::string(kMeta), "print(1)");
    start();
  }

  fakes::FakeEngine& engine() { return engines_.at(std::string(kEndpoint)); }

  void start() { manager_ = make("dm-1"); }

  std::unique_ptr<DeploymentManager> make(const std::string& owner) {
    Settings settings;
    settings.owner = owner;
    settings.services_kafka = settings.agents_kafka = "10.0.0.1:9092";
    settings.stats_topic = topics_.machine_stats;
    settings.agents["amd64"] = {"agent.tar", "slipway/agent:1", "0.1.0", "0123456789abcdef"};
    settings.runtime_bases["python"] = "base:1";
    settings.secret_box = box_;
    settings.lease_beat = 1s;
    settings.reconcile_period = 1s;
    settings.look_for_strays = 1s;
    if (change_settings_) change_settings_(settings);
    return std::make_unique<DeploymentManager>(
        World{bus_, repository_, engines_, archives_, clock_, Log::silent(), topics_, settings});
  }

  void put_source(const std::string& meta, const std::string& code) {
    const auto tar = fakes::make_tar({{"service.yaml", meta}, {"main.py", code}});
    EXPECT_TRUE(repository_.sources().put("shop/1", tar));
  }

  void set_secret(const std::string& name, const std::string& value, const std::string& version) {
    ports::Secret secret{.name = name,
                         .version = version,
                         .sealed = {},
                         .key_id = box_.key_id(),
                         .by = {},
                         .updated_at = clock_.now()};
    secret.sealed = *box_.seal(value, secret.place());
    EXPECT_TRUE(repository_.secrets().put(secret));
  }

  std::string ask(const std::string& fields) {
    const std::string id = "r-" + std::to_string(++asked_);
    bus_.put_plain(topics_.deployment_requests,
                   R"({"request_id":")" + id + R"(","service_id":"shop",)" + fields + "}");
    return id;
  }
  std::string ask_deploy() { return ask(R"("path":"shop/1","machine":"edge-1")"); }

  std::string cancel(const std::string& id) { return ask(R"("action":"cancel","cancels":")" + id + R"(")"); }

  Statuses statuses(const std::string& id) {
    Statuses out;
    for (const auto& record : bus_.records(topics_.deployment_status)) {
      const auto status = messages::parse_deployment_status(*record.value);
      // Said again is the same: what a reader sees once.
      const bool again = status && !out.empty() && status->seq <= out.back().seq;
      if (status && status->request_id == id && !again) out.push_back(*status);
    }
    return out;
  }

  bool is_at(const std::string& id, Stage stage) {
    const auto all = statuses(id);
    return std::ranges::any_of(
        all, [&](const auto& status) { return status.stage == stage && status.state == State::kRunning; });
  }

  // The final status, once it is published.
  messages::DeploymentStatus wait_end(const std::string& id) {
    const bool ended = wait_until([&] {
      const auto all = statuses(id);
      return !all.empty() && all.back().final;
    });
    EXPECT_TRUE(ended) << id << " has no end";
    const auto all = statuses(id);
    for (std::size_t i = 0; i < all.size(); ++i) EXPECT_EQ(all[i].seq, static_cast<std::int64_t>(i) + 1);
    return all.empty() ? messages::DeploymentStatus{} : all.back();
  }

  void wait_free() {
    const auto until = clock_.mono() + 10s;
    while (clock_.mono() < until) {
      const auto lane = repository_.lanes().find("shop");
      if (lane && *lane && !(*lane)->active && (*lane)->queue.empty()) return;
      clock_.sleep(5ms, {});
    }
    FAIL() << "the lane is still taken";
  }

  template <class Condition>
  bool wait_until(Condition condition) {
    const auto until = clock_.mono() + 10s;
    while (clock_.mono() < until) {
      if (condition()) return true;
      clock_.sleep(5ms, {});
    }
    return false;
  }

  ports::Lane lane() { return **repository_.lanes().find("shop"); }
  std::optional<ports::Container> container(const std::string& name) { return *engine().inspect(name); }

  const SecretBox box_ = *SecretBox::from_key(std::string(32, 'k'));
  fakes::LeapingClock clock_;
  messages::Topics topics_;
  fakes::FakeBus bus_;
  fakes::FakeRepository repository_;
  fakes::FakeEngines engines_;
  fakes::FakeArchives archives_;
  int asked_ = 0;
  std::function<void(Settings&)> change_settings_;
  std::atomic<bool> agent_is_silent_ = false;
  std::unique_ptr<DeploymentManager> manager_;
  std::int64_t seq_ = 0;
  // Samples as an agent sends them, faster. Last: uses the others.
  Worker samples_{[this](const std::stop_token& stop) {
    while (clock_.sleep(20ms, stop)) {
      messages::MachineSample sample{.machine = "edge-1",
                                     .boot_id = "b" + std::to_string(engine().count("load_image")),
                                     .seq = ++seq_,
                                     .t = to_ms(clock_.now())};
      if (agent_is_silent_) continue;
      const auto agent = engine().inspect("slipway-agent");
      if (!agent || !*agent) continue;
      std::string json;
      messages::append_json(sample, json);
      bus_.put_plain(topics_.machine_stats, json);
    }
  }};
};

}  // namespace slipway::deployment_manager
