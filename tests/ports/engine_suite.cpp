#include "tests/ports/engine_suite.hpp"

#include <gmock/gmock.h>

#include <filesystem>
#include <mutex>
#include <thread>

#include "base/ids.hpp"
#include "base/thread.hpp"
#include "tests/fakes/tiny_tar.hpp"

namespace slipway::ports {

using namespace std::chrono_literals;
using fakes::make_tar;
using fakes::read_tar;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsSupersetOf;
using ::testing::Pair;
using ::testing::StartsWith;

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(EngineSuite);

EngineBench::EngineBench() : run_("t" + make_uuid().substr(0, 8)) {}

ContainerSpec EngineSuite::spec(const std::string& suffix, const std::string& shell) {
  ContainerSpec spec;
  spec.name = bench_->name(suffix);
  spec.image = bench_->image();
  spec.command = std::vector<std::string>{"/bin/sh", "-c", shell};
  const auto label = bench_->label();
  spec.labels[label.substr(0, label.find('='))] = label.substr(label.find('=') + 1);
  spec.memory = 64 << 20;
  return spec;
}

std::string EngineSuite::run(const ContainerSpec& spec) {
  const auto id = engine().create(spec);
  if (!id) {
    ADD_FAILURE() << to_string(id.error());
    return {};
  }
  const auto started = engine().start(*id);
  if (!started) ADD_FAILURE() << to_string(started.error());
  return *id;
}

Container EngineSuite::inspect(const std::string& id) {
  const auto container = engine().inspect(id);
  if (container && *container) return **container;
  ADD_FAILURE() << "cannot inspect " << id
                << (container ? std::string{} : ": " + to_string(container.error()));
  return {};
}

bool EngineSuite::eventually(const std::function<bool()>& holds) {
  const auto until = std::chrono::steady_clock::now() + 20s;
  while (!holds()) {
    if (std::chrono::steady_clock::now() > until) return false;
    std::this_thread::sleep_for(10ms);
  }
  return true;
}

namespace {

// Watches on a thread of its own, from its construction to its end.
class Watched {
 public:
  Watched(Engine& engine, const std::string& label)
      : worker_([this, &engine, label](const std::stop_token& stop) {
          const auto ended = engine.watch(
              label,
              [this] {
                const std::lock_guard lock{mutex_};
                ready_ = true;
              },
              [this](const EngineEvent& event) {
                const std::lock_guard lock{mutex_};
                events_.push_back(event);
              },
              stop);
          const std::lock_guard lock{mutex_};
          error_ = ended ? std::string{} : to_string(ended.error());
        }) {}

  bool ready() {
    const std::lock_guard lock{mutex_};
    return ready_;
  }
  std::vector<EngineEvent> events() {
    const std::lock_guard lock{mutex_};
    return events_;
  }
  std::vector<std::string> actions() {
    std::vector<std::string> actions;
    for (const auto& event : events()) actions.push_back(event.action);
    return actions;
  }
  bool saw(const std::string& action) {
    const auto seen = actions();
    return std::find(seen.begin(), seen.end(), action) != seen.end();
  }
  // The words of its error; empty after a good end.
  std::string end() {
    worker_.stop();
    return error_;
  }

 private:
  std::mutex mutex_;
  bool ready_ = false;
  std::vector<EngineEvent> events_;
  std::string error_;
  Worker worker_;
};

struct TempFile {
  std::string path = (std::filesystem::temp_directory_path() / ("slipway-" + make_uuid())).string();
  TempFile() = default;
  TempFile(const TempFile&) = delete;
  TempFile& operator=(const TempFile&) = delete;
  ~TempFile() {
    std::error_code ignored;
    std::filesystem::remove(path, ignored);
  }
};

}  // namespace

TEST_P(EngineSuite, answers_and_says_what_it_is) {
  ASSERT_TRUE(engine().ping());
  const auto info = engine().info();
  ASSERT_TRUE(info) << to_string(info.error());
  EXPECT_FALSE(info->version.empty());
  EXPECT_THAT(info->api_version, StartsWith("1."));
  EXPECT_FALSE(info->engine_id.empty());
  EXPECT_GT(info->cpus, 0);
  EXPECT_GT(info->memory, 0);
  EXPECT_THAT(info->root_dir, StartsWith("/"));
}

TEST_P(EngineSuite, a_container_lives_from_create_to_remove) {
  const auto id = engine().create(spec("life", kSleeps));
  ASSERT_TRUE(id) << to_string(id.error());
  EXPECT_EQ(inspect(*id).state, "created");
  EXPECT_FALSE(inspect(*id).running);

  ASSERT_TRUE(engine().start(*id));
  const auto running = inspect(bench_->name("life"));  // by name as well
  EXPECT_EQ(running.id, *id);
  EXPECT_EQ(running.name, bench_->name("life"));
  EXPECT_EQ(running.image, bench_->image());
  EXPECT_EQ(running.state, "running");
  EXPECT_TRUE(running.running);
  EXPECT_EQ(running.health, "none");
  EXPECT_EQ(running.restart, "no");

  ASSERT_TRUE(engine().stop(*id, 1s));
  const auto stopped = inspect(*id);
  EXPECT_EQ(stopped.state, "exited");
  EXPECT_FALSE(stopped.running);
  EXPECT_EQ(stopped.started_at, running.started_at);

  ASSERT_TRUE(engine().start(*id));
  EXPECT_NE(inspect(*id).started_at, running.started_at);

  ASSERT_TRUE(engine().remove(*id, true));
  const auto gone = engine().inspect(*id);
  ASSERT_TRUE(gone) << to_string(gone.error());
  EXPECT_FALSE(*gone);
}

TEST_P(EngineSuite, doing_it_twice_is_doing_it_once) {
  const auto id = run(spec("twice", kSleeps));
  const auto started_at = inspect(id).started_at;
  EXPECT_TRUE(engine().start(id));
  EXPECT_EQ(inspect(id).started_at, started_at);
  EXPECT_TRUE(engine().stop(id, 0s));
  EXPECT_TRUE(engine().stop(id, 0s));
  EXPECT_TRUE(engine().remove(id, false));
  EXPECT_TRUE(engine().remove(id, false));
}

TEST_P(EngineSuite, what_is_not_there_is_not_found) {
  const auto nobody = bench_->name("nobody");
  EXPECT_EQ(engine().start(nobody).error().kind, ErrorKind::kNotFound);
  EXPECT_EQ(engine().stop(nobody, 0s).error().kind, ErrorKind::kNotFound);
  EXPECT_EQ(engine().set_restart_policy(nobody, "no").error().kind, ErrorKind::kNotFound);
  EXPECT_EQ(engine().last_logs(nobody, 1).error().kind, ErrorKind::kNotFound);
  EXPECT_EQ(engine().get_archive(nobody, "/etc").error().kind, ErrorKind::kNotFound);
  EXPECT_EQ(engine().exec(nobody, {{"true"}, {}, {}, 5s, {}}, {}).error().kind, ErrorKind::kNotFound);
  auto imageless = spec("imageless", kSleeps);
  imageless.image = "slipway/no-such-image:1";
  const auto created = engine().create(imageless);
  ASSERT_FALSE(created);
  EXPECT_EQ(created.error().kind, ErrorKind::kNotFound);
  EXPECT_EQ(created.error().code, "engine.image_missing");
}

TEST_P(EngineSuite, a_name_is_given_once) {
  ASSERT_TRUE(engine().create(spec("name", kSleeps)));
  const auto second = engine().create(spec("name", kSleeps));
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().kind, ErrorKind::kConflict);
  EXPECT_EQ(second.error().code, "engine.name_taken");
}

TEST_P(EngineSuite, one_of_many_creates_wins_a_name) {
  std::atomic<int> won = 0, lost = 0;
  {
    std::vector<std::jthread> racers;
    for (int i = 0; i < 8; ++i) {
      racers.emplace_back([&] {
        const auto id = engine().create(spec("race", kSleeps));
        if (id) {
          ++won;
        } else if (id.error().code == "engine.name_taken") {
          ++lost;
        }
      });
    }
  }
  EXPECT_EQ(won, 1);
  EXPECT_EQ(lost, 7);
}

TEST_P(EngineSuite, a_process_that_cannot_start_is_the_specs_fault) {
  auto bad = spec("nope", kSleeps);
  bad.init = false;  // an init would start, and then die with 127 since its child cannot
  bad.entrypoint = std::vector<std::string>{"/nope"};
  const auto id = engine().create(bad);
  ASSERT_TRUE(id);
  const auto started = engine().start(*id);
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().kind, ErrorKind::kInvalid);
  EXPECT_EQ(started.error().code, "engine.start_failed");
  EXPECT_EQ(inspect(*id).state, "created");
  EXPECT_FALSE(inspect(*id).error.empty());
  EXPECT_TRUE(engine().remove(*id, false));
}

TEST_P(EngineSuite, lists_running_and_stopped_ones_by_label) {
  const auto runs = run(spec("runs", kSleeps));
  const auto ended = run(spec("ended", kSaysAndDies));
  ASSERT_TRUE(eventually([&] { return !inspect(ended).running; }));
  const auto containers = engine().list({bench_->label(), "slipway.test"});
  ASSERT_TRUE(containers) << to_string(containers.error());
  std::map<std::string, Container> by_id;
  for (const auto& one : *containers) by_id[one.id] = one;
  ASSERT_EQ(by_id.size(), 2U);
  EXPECT_EQ(by_id[runs].name, bench_->name("runs"));
  EXPECT_TRUE(by_id[runs].running);
  EXPECT_EQ(by_id[runs].state, "running");
  EXPECT_THAT(by_id[runs].labels, Contains(Pair("slipway.test", bench_->label().substr(13))));
  EXPECT_FALSE(by_id[ended].running);
  EXPECT_EQ(by_id[ended].state, "exited");
  EXPECT_EQ(by_id[ended].exit_code, 7);
  EXPECT_TRUE(engine().list({"slipway.test=somebody-else"})->empty());
}

TEST_P(EngineSuite, a_death_is_seen_with_its_exit_code_and_last_words) {
  Watched watched{engine(), bench_->label()};
  ASSERT_TRUE(eventually([&] { return watched.ready(); })) << watched.end();
  const auto id = run(spec("dies", kSaysAndDies));
  ASSERT_TRUE(eventually([&] { return watched.saw("die"); }));
  for (const auto& event : watched.events()) {
    EXPECT_EQ(event.container_id, id);
    EXPECT_EQ(event.labels.at("name"), bench_->name("dies"));
    if (event.action == "die") {
      EXPECT_EQ(event.exit_code, 7);
    }
  }
  ASSERT_TRUE(eventually([&] { return inspect(id).state == "exited"; }));
  EXPECT_EQ(inspect(id).exit_code, 7);
  EXPECT_FALSE(inspect(id).oom_killed);
  EXPECT_THAT(*engine().last_logs(id, 100), ElementsAre("one", "two"));
  EXPECT_THAT(*engine().last_logs(id, 1), ElementsAre("two"));
}

TEST_P(EngineSuite, watching_sees_a_whole_life_in_order_and_ends_well_when_stopped) {
  Watched watched{engine(), bench_->label()};
  Watched others{engine(), "slipway.test=somebody-else"};
  ASSERT_TRUE(eventually([&] { return watched.ready() && others.ready(); })) << watched.end();
  const auto id = run(spec("watched", kSleeps));
  ASSERT_TRUE(engine().stop(id, 0s));
  ASSERT_TRUE(engine().remove(id, false));
  ASSERT_TRUE(eventually([&] { return watched.saw("destroy"); }));
  auto actions = watched.actions();
  std::erase(actions, "kill");
  EXPECT_THAT(actions, ElementsAre("create", "start", "die", "stop", "destroy"));
  EXPECT_EQ(watched.end(), "");
  EXPECT_EQ(others.end(), "");
  EXPECT_TRUE(others.events().empty());
}

TEST_P(EngineSuite, runs_commands_in_a_container) {
  const auto id = run(spec("exec", kSleeps));
  std::vector<std::string> lines;
  const auto said = engine().exec(
      id, {{"echo", "hi", "there"}, {}, {}, 20s, [&](std::string_view line) { lines.emplace_back(line); }},
      {});
  ASSERT_TRUE(said) << to_string(said.error());
  EXPECT_EQ(said->exit_code, 0);
  EXPECT_EQ(said->output, "hi there\n");
  EXPECT_THAT(lines, ElementsAre("hi there"));
  const auto failed = engine().exec(id, {{"sh", "-c", "exit 3"}, {}, {}, 20s, {}}, {});
  ASSERT_TRUE(failed) << to_string(failed.error());
  EXPECT_EQ(failed->exit_code, 3);
  const auto fed = engine().exec(id, {{"cat"}, {}, "first\nsecond\n", 20s, {}}, {});
  ASSERT_TRUE(fed) << to_string(fed.error());
  EXPECT_EQ(fed->output, "first\nsecond\n");
}

TEST_P(EngineSuite, a_command_needs_a_running_container) {
  const auto id = engine().create(spec("idle", kSleeps));
  ASSERT_TRUE(id);
  const auto result = engine().exec(*id, {{"true"}, {}, {}, 5s, {}}, {});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, ErrorKind::kConflict);
  EXPECT_EQ(result.error().code, "engine.not_running");
}

TEST_P(EngineSuite, files_go_in_before_the_start_and_come_out_again) {
  auto with_volume = spec("files", kSleeps);
  with_volume.mounts = {{Mount::Kind::kVolume, "", "/run/slipway", false, 0}};
  const auto id = engine().create(with_volume);
  ASSERT_TRUE(id) << to_string(id.error());
  const auto put =
      engine().put_archive(*id, "/run/slipway", make_tar({{"sensors.json", "{}"}, {"two", "2"}}));
  ASSERT_TRUE(put) << to_string(put.error());
  const auto tar = engine().get_archive(*id, "/run/slipway/sensors.json");
  ASSERT_TRUE(tar) << to_string(tar.error());
  EXPECT_THAT(read_tar(*tar), ElementsAre(Pair("sensors.json", "{}")));
  const auto missing = engine().get_archive(*id, "/run/slipway/none");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().kind, ErrorKind::kNotFound);
}

TEST_P(EngineSuite, restart_policies_can_be_changed) {
  const auto id = run(spec("policy", kSleeps));
  ASSERT_TRUE(engine().set_restart_policy(id, "on-failure:5"));
  EXPECT_EQ(inspect(id).restart, "on-failure:5");
  ASSERT_TRUE(engine().set_restart_policy(id, "always"));
  EXPECT_EQ(inspect(id).restart, "always");
  ASSERT_TRUE(engine().set_restart_policy(id, "no"));
  EXPECT_EQ(inspect(id).restart, "no");
}

TEST_P(EngineSuite, limits_can_be_changed_and_are_told) {
  auto limited = spec("limits", kSleeps);
  limited.memory = 32LL << 20;
  limited.cpus = 0.5;
  limited.pids = 20;
  const auto id = run(limited);
  EXPECT_EQ(inspect(id).limits, (ports::Limits{32LL << 20, 500'000'000, 20}));
  const ports::Limits more{64LL << 20, 250'000'000, 30};
  const auto set = engine().set_limits(id, more);
  ASSERT_TRUE(set) << to_string(set.error());
  EXPECT_EQ(inspect(id).limits, more);
}

TEST_P(EngineSuite, unpausing_what_is_not_paused_is_a_success) {
  const auto id = run(spec("unpause", kSleeps));
  const auto done = engine().unpause(id);
  EXPECT_TRUE(done) << to_string(done.error());
  EXPECT_TRUE(inspect(id).running);
}

TEST_P(EngineSuite, always_brings_a_stopped_one_back_only_when_it_died) {
  const auto id = run(spec("always", kSleeps));
  ASSERT_TRUE(engine().set_restart_policy(id, "always"));
  ASSERT_TRUE(engine().stop(id, 0s));
  EXPECT_FALSE(inspect(id).running);
}

TEST_P(EngineSuite, publishes_to_a_free_port) {
  auto open = spec("ports", kSleeps);
  open.ports = {{8080, 0, "127.0.0.1", "tcp"}};
  const auto id = run(open);
  const auto ports = inspect(id).ports;
  ASSERT_TRUE(ports.contains(8080));
  EXPECT_THAT(ports.at(8080), StartsWith("127.0.0.1:"));
  const auto listed = engine().list({bench_->label()});
  ASSERT_EQ(listed->size(), 1U);
  EXPECT_EQ(listed->front().ports, ports);
}

TEST_P(EngineSuite, logs_are_followed_until_stopped_or_ended) {
  const auto ended = run(spec("said", kSaysAndDies));
  std::vector<std::string> lines;
  const auto followed = engine().follow_logs(ended, {true, 10, false},
                                             [&](std::string_view line) { lines.emplace_back(line); }, {});
  ASSERT_TRUE(followed) << to_string(followed.error());
  EXPECT_THAT(lines, ElementsAre("one", "two"));

  const auto runs = run(spec("silent", kSleeps));
  std::stop_source source;
  std::jthread stopper{[&] { source.request_stop(); }};
  EXPECT_TRUE(engine().follow_logs(runs, {true, 10, false}, [](std::string_view) {}, source.get_token()));
}

TEST_P(EngineSuite, builds_an_image_with_its_labels) {
  BuildSpec build;
  build.tag = "slipway/" + bench_->name("built") + ":1";
  build.labels = {{"slipway.image", bench_->name("key")}, {"slipway.test", bench_->label().substr(13)}};
  const auto context =
      make_tar({{"Dockerfile", "FROM " + bench_->image() + "\nCOPY file /file\n"}, {"file", "content"}});
  std::vector<std::string> lines;
  const auto image =
      engine().build(build, context, [&](std::string_view line) { lines.emplace_back(line); }, {});
  ASSERT_TRUE(image) << to_string(image.error());
  EXPECT_THAT(lines, Contains(StartsWith("Step 1/")));
  EXPECT_THAT(image->tags, Contains(build.tag));
  EXPECT_THAT(image->labels, IsSupersetOf(build.labels));
  const auto found = engine().find_image("slipway.image=" + bench_->name("key"));
  ASSERT_TRUE(found && *found);
  EXPECT_EQ((*found)->id, image->id);
  const auto by_tag = engine().inspect_image(build.tag);
  ASSERT_TRUE(by_tag && *by_tag);
  EXPECT_EQ((*by_tag)->id, image->id);
  const auto none = engine().find_image("slipway.image=" + bench_->name("another"));
  ASSERT_TRUE(none);
  EXPECT_FALSE(*none);
  EXPECT_FALSE(*engine().inspect_image("slipway/no-such-image:1"));
}

TEST_P(EngineSuite, a_failing_build_says_why_and_leaves_no_image) {
  bench_->expect_failing_build({"hello from the build", "The command returned a non-zero code: 7"});
  BuildSpec build;
  build.tag = "slipway/" + bench_->name("failed") + ":1";
  build.labels = {{"slipway.image", bench_->name("failed")}};
  const auto context =
      make_tar({{"Dockerfile", "FROM " + bench_->image() +
                                   "\nRUN [\"/bin/sh\",\"-c\",\"echo hello from the build; exit 7\"]\n"}});
  const auto image = engine().build(build, context, {}, {});
  ASSERT_FALSE(image);
  EXPECT_EQ(image.error().kind, ErrorKind::kInvalid);
  EXPECT_EQ(image.error().code, "build.failed");
  EXPECT_THAT(image.error().message, HasSubstr("non-zero code: 7"));
  EXPECT_THAT(image.error().last_logs, Contains("hello from the build"));
  EXPECT_FALSE(*engine().find_image("slipway.image=" + bench_->name("failed")));
  EXPECT_FALSE(*engine().inspect_image(build.tag));
}

TEST_P(EngineSuite, a_build_can_be_cancelled) {
  bench_->expect_endless_build();
  BuildSpec build;
  build.tag = "slipway/" + bench_->name("endless") + ":1";
  const auto context = make_tar({{"Dockerfile", "FROM " + bench_->image() + "\nLABEL " + bench_->label() +
                                                    "\nRUN [\"/bin/sleep\",\"60\"]\n"}});
  std::stop_source source;
  std::jthread stopper{[&] {
    // The build has begun when its first output is there, or (a fake) at once.
    std::this_thread::sleep_for(200ms);
    source.request_stop();
  }};
  const auto began = std::chrono::steady_clock::now();
  const auto image = engine().build(build, context, {}, source.get_token());
  ASSERT_FALSE(image);
  EXPECT_EQ(image.error().code, "build.cancelled");
  EXPECT_LT(std::chrono::steady_clock::now() - began, 2s);
  EXPECT_FALSE(*engine().inspect_image(build.tag));
}

TEST_P(EngineSuite, an_image_travels_as_a_file) {
  TempFile file;
  ASSERT_TRUE(engine().save_image(bench_->image(), file.path));
  EXPECT_GT(std::filesystem::file_size(file.path), 0U);
  const auto loaded = engine().load_image(file.path);
  ASSERT_TRUE(loaded) << to_string(loaded.error());
  EXPECT_TRUE(*engine().inspect_image(bench_->image()));
  EXPECT_EQ(engine().save_image("slipway/no-such-image:1", file.path).error().kind, ErrorKind::kNotFound);
  EXPECT_EQ(engine().load_image("/no/such/file").error().kind, ErrorKind::kNotFound);
}

TEST_P(EngineSuite, volumes_are_made_once_and_removed_once) {
  const auto volume = bench_->name("volume");
  EXPECT_FALSE(*engine().has_volume(volume));
  const auto made = engine().create_volume(volume, {{"slipway.test", "x"}});
  ASSERT_TRUE(made) << to_string(made.error());
  EXPECT_TRUE(engine().create_volume(volume, {{"slipway.test", "x"}}));
  EXPECT_TRUE(*engine().has_volume(volume));
  EXPECT_TRUE(engine().remove_volume(volume));
  EXPECT_TRUE(engine().remove_volume(volume));
  EXPECT_FALSE(*engine().has_volume(volume));
}

TEST_P(EngineSuite, volumes_are_found_by_their_labels_also_those_that_a_container_brought) {
  const auto mine = "slipway.test=" + bench_->name("mine");
  const auto value = bench_->name("mine");
  const auto none = engine().list_volumes({mine});
  ASSERT_TRUE(none) << to_string(none.error());
  EXPECT_TRUE(none->empty());
  const auto made = bench_->name("made"), brought = bench_->name("brought");
  ASSERT_TRUE(engine().create_volume(made, {{"slipway.test", value}, {"slipway.service", "shop"}}));
  auto with_volume = spec("brings", kSleeps);
  with_volume.mounts = {{Mount::Kind::kVolume, brought, "/data", false, 0, {{"slipway.test", value}}}};
  const auto container = engine().create(with_volume);
  ASSERT_TRUE(container) << to_string(container.error());

  const auto both = engine().list_volumes({mine});
  ASSERT_TRUE(both) << to_string(both.error());
  std::vector<std::string> names;
  for (const auto& volume : *both) names.push_back(volume.name);
  EXPECT_THAT(names, ::testing::UnorderedElementsAre(made, brought));
  const auto shop = engine().list_volumes({mine, "slipway.service"});
  ASSERT_TRUE(shop) << to_string(shop.error());
  ASSERT_EQ(shop->size(), 1U);
  EXPECT_THAT(shop->front().labels, Contains(Pair("slipway.service", "shop")));

  EXPECT_TRUE(engine().remove(*container, true));
  EXPECT_TRUE(engine().remove_volume(made));
  EXPECT_TRUE(engine().remove_volume(brought));
}

}  // namespace slipway::ports
