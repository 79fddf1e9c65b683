#include <gtest/gtest.h>
#include <mongoc/mongoc.h>

#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <map>
#include <mutex>

#include "adapters/repository/repository.hpp"
#include "base/ids.hpp"
#include "base/thread.hpp"
#include "messages/machine_sample.hpp"
#include "ports/request_loop.hpp"
#include "systems/deployment_manager/deployment_manager.hpp"
#include "tests/fakes/fake_archives.hpp"
#include "tests/fakes/fake_bus.hpp"
#include "tests/fakes/fake_engine.hpp"

// RELIABILITY, Cancel: cancel and cutover race for one field; exactly one wins, and the world matches it.
namespace slipway::deployment_manager {
namespace {

using namespace std::chrono_literals;
using messages::State;

constexpr int kServices = 16;
constexpr int kRounds = 63;  // 16 x 63 = 1,008 races
constexpr std::string_view kEndpoint = "unix:///var/run/docker.sock";

// The final status of each request, as it comes.
class Ends {
 public:
  void hear(const ports::Record& record) {
    auto status = messages::parse_deployment_status(*record.value);
    if (!status || !status->final) return;
    std::lock_guard lock(mutex_);
    auto& all = ends_[status->request_id];
    if (!all || all->state == status->state)
      all = *status;
    else
      ++contradictions;
    changed_.notify_all();
  }
  std::optional<messages::DeploymentStatus> wait(const std::string& id) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, 60s, [&] { return ends_[id].has_value(); });
    return ends_[id];
  }
  std::atomic<int> contradictions = 0;

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::string, std::optional<messages::DeploymentStatus>> ends_;
};

repository::RepositorySettings settings_of_test() {
  const char* uri = std::getenv("MONGODB_URI");
  if (!uri || !*uri) {
    std::fprintf(stderr, "MONGODB_URI is not set: this test needs a Repository (./dev stack up)\n");
    std::exit(2);  // a missing peer is a failure, never a skip
  }
  repository::RepositorySettings made;
  made.uri = uri;
  made.database = "slipway_race_" + std::to_string(random_u64() % 1'000'000'000);
  return made;
}

class CancelRace : public ::testing::Test {
 protected:
  CancelRace() {
    EXPECT_TRUE(bus_.ensure_topics(topics_.all()));
    engine().add_image({.id = "sha256:base", .tags = {"base:1"}});
    engine().add_image({.id = "sha256:agent", .tags = {"slipway/agent:1"}});
    EXPECT_TRUE(repository_->machines().put({{.name = "edge-1", .docker = std::string(kEndpoint)}}));
    Settings settings;
    settings.owner = "dm-1";
    settings.services_kafka = settings.agents_kafka = "10.0.0.1:9092";
    settings.stats_topic = topics_.machine_stats;
    settings.agents["amd64"] = {"agent.tar", "slipway/agent:1", "0.1.0", "0123456789abcdef"};
    settings.runtime_bases["python"] = "base:1";
    settings.most_per_machine = kServices;
    EXPECT_TRUE(status_.wait_ready(10s));
    manager_ = std::make_unique<DeploymentManager>(
        World{bus_, *repository_, engines_, archives_, clock_, Log::silent(), topics_, settings});
  }

  void TearDown() override {
    manager_.reset();
    mongoc_client_t* client = mongoc_client_new(where_.uri.c_str());
    mongoc_database_t* database = mongoc_client_get_database(client, where_.database.c_str());
    bson_error_t error{};
    EXPECT_TRUE(mongoc_database_drop(database, &error)) << error.message;
    mongoc_database_destroy(database);
    mongoc_client_destroy(client);
  }

  fakes::FakeEngine& engine() { return engines_.at(std::string(kEndpoint)); }

  void ask(const std::string& id, const std::string& service, const std::string& fields) {
    bus_.put_plain(topics_.deployment_requests,
                   R"({"request_id":")" + id + R"(","service_id":")" + service + "\"," + fields + "}");
  }

  void deploy(const std::string& service, const std::string& code) {
    const std::string meta = "name: " + service +
                             "\nruntime: python@3.11\ncommand: python main.py\nports: [\"0:8080\"]\nupdate: "
                             "{healthy_for: 100ms}\n";
    const std::string id = service + "-" + code;
    const auto tar = fakes::make_tar({{"service.yaml", meta}, {"main.py", code}});
    ASSERT_TRUE(repository_->sources().put(id, tar));
    ask(id, service, R"("machine":"edge-1","path":")" + id + "\"");
    const auto end = ends_.wait(id);
    ASSERT_TRUE(end);
    ASSERT_EQ(end->state, State::kSucceeded) << end->message;
  }

  ports::Lane free_lane(const std::string& service) {
    const auto until = clock_.mono() + 30s;
    for (;;) {
      const auto lane = repository_->lanes().find(service);
      if (lane && *lane && !(*lane)->active && (*lane)->queue.empty()) return **lane;
      if (clock_.mono() > until) {
        ADD_FAILURE() << "the lane of " << service << " stays taken";
        return {};
      }
      clock_.sleep(5ms, {});
    }
  }

  // One rollback and a cancel that comes about when it is cut over.
  void race(const std::string& service, int round, milliseconds& delay) {
    const auto before = free_lane(service);
    const std::string id = service + "-r" + std::to_string(round);
    ask(id, service, R"("action":"rollback")");
    clock_.sleep(delay, {});
    ask(id + "-c", service, R"("action":"cancel","cancels":")" + id + "\"");
    const auto end = ends_.wait(id), answer = ends_.wait(id + "-c");
    ASSERT_TRUE(end && answer) << id << " has no end";
    const auto after = free_lane(service);
    const bool cancelled = end->state == State::kCancelled;
    if (cancelled) {
      ++cancelled_;
      delay += delay / 4;  // by shares: a loaded machine is many times slower
      EXPECT_EQ(answer->state, State::kSucceeded) << id << ": " << answer->message;
      EXPECT_EQ(after.committed, before.committed) << id;
    } else {
      ++cut_over_;
      delay = std::max(5ms, delay - delay / 5);
      EXPECT_EQ(end->state, State::kSucceeded) << id << ": " << end->message;
      EXPECT_EQ(answer->state, State::kRejected) << id;
      EXPECT_EQ(answer->error ? answer->error->code : "", "cancel.too_late") << id;
      EXPECT_NE(after.committed, before.committed) << id;
    }
    std::vector<std::string> running;
    const auto there = engine().list({"slipway.service=" + service});
    for (const auto& container : *there)
      if (container.running) running.push_back(container.name);
    EXPECT_EQ(running, std::vector{service + "-" + std::to_string(after.committed.value_or(0)) + "-1"})
        << id << (cancelled ? " was cancelled" : " was cut over");
  }

  SystemClock clock_;
  messages::Topics topics_;
  fakes::FakeBus bus_;
  repository::RepositorySettings where_ = settings_of_test();
  std::unique_ptr<ports::Repository> repository_ =
      repository::open_repository(where_, clock_, Log::silent()).value();
  fakes::FakeEngines engines_;
  fakes::FakeArchives archives_;
  std::atomic<int> cancelled_ = 0, cut_over_ = 0;
  Ends ends_;
  ports::TopicReader status_{bus_,
                             clock_,
                             Log::silent(),
                             {topics_.deployment_status},
                             ports::From::kEnd,
                             [this](const ports::Record& record) { ends_.hear(record); }};
  std::unique_ptr<DeploymentManager> manager_;
  std::int64_t seq_ = 0;
  Worker samples_{[this](const std::stop_token& stop) {  // last: uses the others
    while (clock_.sleep(100ms, stop)) {
      const messages::MachineSample sample{
          .machine = "edge-1", .boot_id = "b1", .seq = ++seq_, .t = to_ms(clock_.now())};
      std::string json;
      messages::append_json(sample, json);
      bus_.put_plain(topics_.machine_stats, json);
    }
  }};
};

TEST_F(CancelRace, a_thousand_times_exactly_one_of_cancel_and_cutover_wins) {
  {
    std::vector<std::jthread> drivers;
    for (int i = 0; i < kServices; ++i)
      drivers.emplace_back([this, service = "race-" + std::to_string(i)] {
        ASSERT_NO_FATAL_FAILURE(deploy(service, "one"));
        ASSERT_NO_FATAL_FAILURE(deploy(service, "two"));
        milliseconds delay{60};
        for (int round = 0; round < kRounds; ++round) ASSERT_NO_FATAL_FAILURE(race(service, round, delay));
      });
  }
  EXPECT_EQ(ends_.contradictions, 0) << "a request that ended twice, differently";
  EXPECT_EQ(cancelled_ + cut_over_, kServices * kRounds);
  EXPECT_GE(cancelled_, 50) << "cancels came too late to race";
  EXPECT_GE(cut_over_, 50) << "cancels came too early to race";
  RecordProperty("cancelled", cancelled_);
  RecordProperty("cut_over", cut_over_);
}

}  // namespace
}  // namespace slipway::deployment_manager
