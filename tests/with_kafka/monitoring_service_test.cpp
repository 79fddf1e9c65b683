#include "systems/monitoring_service/monitoring_service.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <mongoc/mongoc.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <thread>

#include "adapters/kafka/kafka_bus.hpp"
#include "adapters/repository/repository.hpp"
#include "base/ids.hpp"
#include "messages/machine_sample.hpp"
#include "ports/stores/columns.hpp"

// The Monitoring Service on the real components, killed again and again: every sample that Kafka has is
// stored once.
namespace slipway::tests {
namespace {

using std::chrono::seconds;

constexpr int kMachines = 8;
constexpr int kSamples = 600;  // of each machine, ten minutes
constexpr int kKills = 4;
constexpr const char* kChild = "SLIPWAY_TEST_SITE";  // set in the process that serves: the site's name

std::string needed(const char* name) {
  const char* value = std::getenv(name);
  if (value == nullptr) {
    std::fprintf(stderr, "%s is not set: run ./dev test, or ./dev env\n", name);
    std::exit(2);  // a missing peer is a failure, never a skip
  }
  return value;
}

SystemClock the_clock;

struct Site {
  explicit Site(const std::string& name) : topics(name + ".") {
    auto opened_bus = kafka::open_bus({needed("KAFKA_BROKERS"), {}}, the_clock, Log::silent());
    auto opened = repository::open_repository({.uri = needed("MONGODB_URI"), .database = name}, the_clock,
                                              Log::silent());
    if (!opened_bus || !opened) {
      std::fprintf(stderr, "cannot open the site: %s\n",
                   to_string((opened_bus ? opened.error() : opened_bus.error())).c_str());
      std::exit(2);
    }
    bus = std::move(*opened_bus);
    repository = std::move(*opened);
  }
  const messages::Topics topics;
  std::unique_ptr<ports::Bus> bus;
  std::unique_ptr<ports::Repository> repository;
};

// In the child: serves until it is killed.
class Child final : public testing::Environment {
 public:
  void SetUp() override {
    const char* name = std::getenv(kChild);
    if (name == nullptr) return;
    Site site(name);
    monitoring_service::MonitoringServiceSettings settings;
    settings.minutes.flush_after = milliseconds(300);
    settings.minutes.settle = milliseconds(100);
    const monitoring_service::MonitoringService service(*site.bus, *site.repository, the_clock,
                                                        Log::to_stderr(), site.topics, settings);
    for (;;) pause();
  }
};
const auto* const kChildMode = testing::AddGlobalTestEnvironment(new Child);

class Server {
 public:
  explicit Server(const std::string& site) {
    setenv(kChild, site.c_str(), 1);
    char* const argv[] = {const_cast<char*>("/proc/self/exe"), nullptr};
    EXPECT_EQ(posix_spawn(&pid_, "/proc/self/exe", nullptr, nullptr, argv, environ), 0);
    unsetenv(kChild);
  }
  Server(const Server&) = delete;  // owns a process
  Server& operator=(const Server&) = delete;
  ~Server() {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }

 private:
  pid_t pid_ = 0;
};

// Of a run's own; its topics go with the stack.
void drop_database(const std::string& name) {
  mongoc_client_t* client = mongoc_client_new(needed("MONGODB_URI").c_str());
  mongoc_database_t* database = mongoc_client_get_database(client, name.c_str());
  bson_error_t error{};
  EXPECT_TRUE(mongoc_database_drop(database, &error)) << error.message;
  mongoc_database_destroy(database);
  mongoc_client_destroy(client);
}

std::string machine_name(int number) {
  return "edge-" + std::to_string(number);
}

void send(Site& site, std::int64_t begin, int seq) {
  for (int machine = 0; machine < kMachines; ++machine) {
    messages::MachineSample sample;
    sample.machine = machine_name(machine);
    sample.boot_id = "b1";
    sample.seq = seq;
    sample.t = begin + seq * 1000;
    sample.cpu.used = seq % 100;
    std::string json;
    messages::append_json(sample, json);
    const auto queued = site.bus->publish_later({.topic = site.topics.machine_stats,
                                                 .key = sample.machine,
                                                 .value = json,
                                                 .source = "/machines/" + sample.machine},
                                                [](const Status& sent) { EXPECT_TRUE(sent); });
    ASSERT_TRUE(queued) << to_string(queued.error());
  }
}

struct Count {
  std::size_t rows = 0, plain = 0;
  bool once_each = true;
  std::string missing;  // from the columns
};

Count stored(Site& site, std::int64_t begin, int machine) {
  const WallTime from = from_ms(begin), to = from_ms(begin + kSamples * 1000);
  Count count;
  const auto minutes = site.repository->samples().columns(machine_name(machine), "", from, to);
  const auto plain = site.repository->samples().plain(machine_name(machine), "", from, to);
  if (!minutes || !plain) return count;
  std::vector<bool> seen(kSamples);
  for (const auto& minute : *minutes) {
    const auto columns = ports::Columns::decode(minute.columns);
    if (!columns) return {};
    for (const auto& row : columns->rows()) {
      const auto seq = static_cast<std::size_t>(row.seq);
      count.once_each = count.once_each && seq < kSamples && !seen[seq];
      if (seq < kSamples) seen[seq] = true;
    }
    count.rows += columns->rows().size();
  }
  for (std::size_t seq = 0; seq < seen.size(); ++seq)
    if (!seen[seq]) count.missing += " " + std::to_string(seq);
  for (const auto& minute : *plain)
    if (minute.plain.contains("cpu.used"))
      count.plain += static_cast<std::size_t>(minute.plain.at("cpu.used").count);
  return count;
}

// Where the samples of a machine are on Kafka, and how far the group has read.
std::string describe(Site& site, const std::string& machine) {
  std::string text;
  const std::vector topics{site.topics.machine_stats};
  const auto ranges = site.bus->ranges(topics);
  const auto committed = site.bus->committed(site.topics.group("monitoring_service"), topics);
  auto reader = site.bus->read_all(topics, ports::From::kBeginning);
  if (!ranges || !committed || !reader) return " (and Kafka cannot be asked)";
  for (const auto& [at, range] : *ranges) {
    const auto done = committed->find(at);
    text += "\n  partition " + std::to_string(at.partition) + ": end " + std::to_string(range.end) +
            ", committed " + (done == committed->end() ? "nothing" : std::to_string(done->second));
  }
  std::map<std::string, int> places;
  for (;;) {
    const auto records = (*reader)->poll(1'000, seconds(2));
    if (!records || records->empty()) break;
    for (const auto& record : *records)
      if (record.key == machine) ++places["partition " + std::to_string(record.partition)];
  }
  for (const auto& [place, count] : places) text += "\n  " + std::to_string(count) + " records on " + place;
  return text;
}

TEST(MonitoringServiceOnRealComponents, stores_every_sample_once_although_it_is_killed) {
  const std::string name = "slipway-test-" + std::to_string(random_u64() % 1'000'000'000);
  Site site(name);
  const messages::TopicSpec specs[] = {{site.topics.machine_stats, 4, false, std::chrono::hours(1)},
                                       {site.topics.deadletter, 1, false, std::chrono::hours(1)}};
  const auto made = site.bus->ensure_topics(specs);
  ASSERT_TRUE(made) << to_string(made.error());
  const std::int64_t begin = to_ms(the_clock.now()) / 60'000 * 60'000 - kSamples * 1000;

  auto server = std::make_unique<Server>(name);
  for (int seq = 0; seq < kSamples; ++seq) {
    send(site, begin, seq);
    if (seq % (kSamples / (kKills + 1)) == 0 && seq > 0) {
      // Killed while it is at work: when something new has been stored since its start.
      const auto before = stored(site, begin, 0).rows;
      const auto deadline = std::chrono::steady_clock::now() + seconds(60);
      while (stored(site, begin, 0).rows == before && std::chrono::steady_clock::now() < deadline)
        std::this_thread::sleep_for(milliseconds(20));
      server = nullptr;
      server = std::make_unique<Server>(name);
    }
  }
  const auto deadline = std::chrono::steady_clock::now() + seconds(120);
  for (int machine = 0; machine < kMachines; ++machine) {
    Count count;
    while ((count = stored(site, begin, machine)).rows < kSamples || count.plain < kSamples) {
      if (std::chrono::steady_clock::now() > deadline) break;
      std::this_thread::sleep_for(milliseconds(50));
    }
    EXPECT_EQ(count.rows, static_cast<std::size_t>(kSamples))
        << machine_name(machine) << " lacks" << count.missing << describe(site, machine_name(machine));
    EXPECT_EQ(count.plain, static_cast<std::size_t>(kSamples)) << machine_name(machine);
    EXPECT_TRUE(count.once_each) << machine_name(machine);
  }
  // Offsets follow the documents: the last documents may be there a moment before the first commit.
  std::int64_t sum = 0;
  for (; sum == 0 && std::chrono::steady_clock::now() < deadline;
       std::this_thread::sleep_for(milliseconds(50))) {
    const auto offsets =
        site.bus->committed(site.topics.group("monitoring_service"), std::vector{site.topics.machine_stats});
    ASSERT_TRUE(offsets);
    for (const auto& [partition, offset] : *offsets) sum += offset;
  }
  EXPECT_LE(sum, kMachines * kSamples);
  EXPECT_GT(sum, 0);
  server = nullptr;
  drop_database(name);
}

}  // namespace
}  // namespace slipway::tests
