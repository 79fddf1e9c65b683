#include <gmock/gmock.h>

#include <cstdlib>
#include <filesystem>
#include <thread>

#include "adapters/docker/docker_engine.hpp"
#include "adapters/docker/engines.hpp"
#include "base/log.hpp"
#include "tests/fakes/scripted_server.hpp"
#include "tests/fakes/tiny_tar.hpp"
#include "tests/ports/engine_suite.hpp"

namespace slipway::ports {
namespace {

using namespace std::chrono_literals;
using ::testing::ContainsRegex;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

std::string variable(const char* name, std::string otherwise) {
  const char* value = std::getenv(name);
  return value != nullptr && *value != '\0' ? value : std::move(otherwise);
}

constexpr const char* kLocal = "unix:///var/run/docker.sock";

// The engine that docker's own variables name: DOCKER_HOST, and DOCKER_CERT_PATH for TLS.
struct Target {
  std::string endpoint = variable("DOCKER_HOST", kLocal);
  std::filesystem::path certificates = variable("DOCKER_CERT_PATH", "");
  docker::DockerSettings settings() const {
    return {{"/var/run/docker.sock", endpoint.substr(std::min<std::size_t>(7, endpoint.size()))},
            {"0.0.0.0/0", "::/0"},
            certificates.parent_path()};
  }
};

template <class T>
T value_of(Result<T> result) {
  if (!result) throw std::runtime_error(to_string(result.error()));
  return std::move(*result);
}

// A real engine, with an image of busybox alone. What a test makes goes with it.
class DockerBench final : public EngineBench {
 public:
  DockerBench() : engines_(docker::make_engines(target_.settings(), Log::silent())) {
    engine_ = value_of(engines_->open(target_.endpoint, target_.certificates.filename()));
    if (!value_of(engine_->inspect_image(image()))) bring_image();
  }
  ~DockerBench() override {
    if (const auto left = engine_->list({label()})) {
      for (const auto& one : *left) {
        const auto removed = engine_->remove(one.id, true);
        if (!removed) ADD_FAILURE() << "left behind: " << one.name << ": " << to_string(removed.error());
      }
    }
    remove_images();
  }
  Engine& engine() override { return *engine_; }
  std::string image() override { return "slipway-base-minimal:1"; }
  void expect_failing_build(const std::vector<std::string>&) override {}
  void expect_endless_build() override {}

 private:
  // From the machine's own engine: there is no registry.
  void bring_image() {
    const auto local = value_of(engines_->open(kLocal, ""));
    const auto file = std::filesystem::temp_directory_path() / name("base.tar");
    const auto saved = local->save_image(image(), file);
    if (!saved) throw std::runtime_error(to_string(saved.error()) + "; ./dev stack up makes " + image());
    const auto loaded = engine_->load_image(file);
    std::filesystem::remove(file);
    if (!loaded) throw std::runtime_error(to_string(loaded.error()));
  }

  // The port has no removal of images: nothing but a test needs one.
  void remove_images() {
    http::Client client{value_of(docker::resolve_endpoint(
        target_.endpoint, target_.certificates.filename().string(), target_.settings()))};
    for (int most = 10; most > 0; --most) {
      const auto image = engine_->find_image(label());
      if (!image || !*image) return;
      const auto removed =
          client.call(docker::make_request("DELETE", "/images/" + (*image)->id + "?force=1"));
      if (!removed || !removed->ok()) ADD_FAILURE() << "left behind: the image " << (*image)->id;
    }
  }

  const Target target_;
  std::unique_ptr<Engines> engines_;
  std::shared_ptr<Engine> engine_;
};

INSTANTIATE_TEST_SUITE_P(Docker, EngineSuite,
                         ::testing::Values(MakeBench{[] { return std::make_unique<DockerBench>(); }}));

// What only a real engine can show.
class RealEngine : public EngineSuite {
 protected:
  std::string exec(const std::string& id, const std::string& shell) {
    const auto result = engine().exec(id, {{"/bin/sh", "-c", shell}, {}, {}, 20s, {}}, {});
    if (!result) return to_string(result.error());
    return result->output;
  }
};

INSTANTIATE_TEST_SUITE_P(Docker, RealEngine,
                         ::testing::Values(MakeBench{[] { return std::make_unique<DockerBench>(); }}));

TEST_P(RealEngine, a_container_has_no_power_that_its_spec_does_not_give) {
  auto hard = spec("hard", kSleeps);
  hard.user = "65532";
  hard.read_only_root = true;
  hard.mounts = {{Mount::Kind::kTmpfs, "", "/tmp", false, 1 << 20}};
  const auto id = run(hard);
  const auto status = exec(id, "cat /proc/1/status /proc/self/status");
  for (const auto* cap : {"CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"}) {
    EXPECT_THAT(status, HasSubstr(std::string{cap} + ":\t0000000000000000\n"));
    EXPECT_THAT(status, Not(ContainsRegex(std::string{cap} + ":\t[0-9a-f]*[1-9a-f]")));
  }
  EXPECT_THAT(status, Not(HasSubstr("NoNewPrivs:\t0")));
  EXPECT_THAT(status, Not(HasSubstr("Seccomp:\t0")));
  EXPECT_EQ(exec(id, "id -u"), "65532\n");
  EXPECT_EQ(exec(id, "echo x > /tmp/x && cat /tmp/x"), "x\n");
  EXPECT_THAT(exec(id, "echo x > /x"), HasSubstr("Read-only file system"));
  EXPECT_THAT(exec(id, "head -c 2000000 /dev/zero > /tmp/big || echo full"), HasSubstr("full\n"));
}

TEST_P(RealEngine, a_command_is_cut_off_when_its_container_dies) {
  const auto id = run(spec("cut", kSleeps));
  std::jthread killer;
  const auto kill_at_first_line = [&](std::string_view) {
    killer = std::jthread{[&] { ASSERT_TRUE(engine().stop(id, 0s)); }};
  };
  const auto result =
      engine().exec(id, {{"sh", "-c", "echo here; sleep 100"}, {}, {}, 60s, kill_at_first_line}, {});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, "engine.not_running");
}

TEST_P(RealEngine, a_command_that_comes_while_its_container_dies_says_so) {
  const auto id = run(spec("race", kSleeps));
  std::jthread killer{[&] { ASSERT_TRUE(engine().stop(id, 0s)); }};
  for (bool runs = true; runs;) {  // some come before, some in the middle, the last ones after
    const auto result = engine().exec(id, {{"true"}, {}, {}, 60s, {}}, {});
    runs = result.has_value();
    if (runs) {
      EXPECT_EQ(result->exit_code, 0);
    } else {
      EXPECT_EQ(result.error().code, "engine.not_running") << to_string(result.error());
    }
  }
}

TEST_P(RealEngine, a_command_is_given_up_at_its_deadline_and_when_stopped) {
  const auto id = run(spec("slow", kSleeps));
  EXPECT_EQ(engine().exec(id, {{"sleep", "100"}, {}, {}, 300ms, {}}, {}).error().code, "engine.timeout");
  std::stop_source source;
  const auto stop_at_first_line = [&](std::string_view) { source.request_stop(); };
  const auto result = engine().exec(
      id, {{"sh", "-c", "echo here; sleep 100"}, {}, {}, 60s, stop_at_first_line}, source.get_token());
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, "engine.cancelled");
}

TEST_P(RealEngine, a_command_that_does_not_exist_says_so) {
  const auto id = run(spec("none", kSleeps));
  const auto result = engine().exec(id, {{"/no/such/program"}, {}, {}, 20s, {}}, {});
  if (result) {  // Engine 20.10 answers with a code and words, newer ones refuse
    EXPECT_TRUE(result->exit_code == 126 || result->exit_code == 127) << result->exit_code;
    EXPECT_THAT(result->output, HasSubstr("no such file"));
  } else {
    EXPECT_EQ(result.error().kind, ErrorKind::kInvalid) << to_string(result.error());
  }
}

TEST_P(RealEngine, a_command_takes_and_gives_much) {
  const auto id = run(spec("much", kSleeps));
  std::string input;
  for (int i = 0; i < 200'000; ++i) input += std::to_string(i) + "\n";
  std::size_t lines = 0;
  const auto count = [&](std::string_view) { ++lines; };
  const auto result = engine().exec(id, {{"cat"}, {}, input, 60s, count}, {});
  ASSERT_TRUE(result) << to_string(result.error());
  EXPECT_EQ(lines, 200'000U);
  EXPECT_LE(result->output.size(), 64U << 10);
}

TEST_P(RealEngine, memory_has_an_end_and_the_death_by_it_is_named) {
  auto hungry = spec("hungry", "tail /dev/zero");
  hungry.memory = 16 << 20;
  const auto id = run(hungry);
  ASSERT_TRUE(eventually([&] { return inspect(id).state == "exited"; }));
  EXPECT_TRUE(inspect(id).oom_killed);
  EXPECT_EQ(inspect(id).exit_code, 137);
}

TEST_P(RealEngine, anonymous_volumes_go_with_their_container) {
  auto with_volume = spec("volume", kSleeps);
  with_volume.mounts = {{Mount::Kind::kVolume, "", "/run/slipway", false, 0}};
  const auto id = run(with_volume);
  const auto mounts = exec(id, "cat /proc/self/mountinfo");
  const auto at = mounts.find("/volumes/");
  ASSERT_NE(at, std::string::npos) << mounts;
  const auto volume = mounts.substr(at + 9, mounts.find('/', at + 9) - at - 9);
  ASSERT_TRUE(value_of(engine().has_volume(volume))) << volume;
  ASSERT_TRUE(engine().remove(id, true));
  EXPECT_FALSE(value_of(engine().has_volume(volume)));
}

// Between us and the engine: hands everything over, but closes instead of handing back the answer to a
// create.
void lose_answers_to_creates(fakes::ScriptedServer::Peer& peer) {
  const Target target;
  http::Client engine{value_of(
      docker::resolve_endpoint(target.endpoint, target.certificates.filename().string(), target.settings()))};
  for (auto text = peer.read_request(); !text.empty(); text = peer.read_request()) {
    const auto first = text.find(' '), second = text.find(' ', first + 1);
    auto request = docker::make_request(text.substr(0, first), text.substr(first + 1, second - first - 1),
                                        text.substr(text.find("\r\n\r\n") + 4));
    const auto answer = engine.call(request);
    if (!answer || request.target.find("/create") != std::string::npos) return;
    peer.say(fakes::http_answer(answer->status, answer->body));
  }
}

TEST_P(RealEngine, a_lost_answer_is_unknown_and_its_container_is_found_by_name) {
  fakes::ScriptedServer between{lose_answers_to_creates};
  docker::DockerEngine lossy{http::Address{between.path(), {}, 0, {}}, "lossy", Log::silent()};
  const auto created = lossy.create(spec("lost", kSleeps));
  ASSERT_FALSE(created);
  EXPECT_EQ(created.error().kind, ErrorKind::kUnknown);
  const auto found = lossy.inspect(bench_->name("lost"));
  ASSERT_TRUE(found) << to_string(found.error());
  ASSERT_TRUE(*found);
  EXPECT_EQ((*found)->state, "created");
}

TEST_P(RealEngine, an_image_keeps_its_user_and_ports) {
  BuildSpec build;
  build.tag = "slipway/" + bench_->name("user") + ":1";
  build.labels = {{"slipway.test", bench_->label().substr(13)}};
  const auto context =
      fakes::make_tar({{"Dockerfile", "FROM " + bench_->image() +
                                          "\nUSER 1234\nEXPOSE 8080\nENTRYPOINT [\"/bin/sh\",\"-c\"]\n"}});
  const auto image = engine().build(build, context, {}, {});
  ASSERT_TRUE(image) << to_string(image.error());
  EXPECT_EQ(image->user, "1234");
  EXPECT_THAT(image->exposed, ElementsAre(8080));
  EXPECT_THAT(image->entrypoint, ElementsAre("/bin/sh", "-c"));
}

TEST_P(RealEngine, a_build_without_network_has_none) {
  BuildSpec build;
  build.tag = "slipway/" + bench_->name("offline") + ":1";
  build.labels = {{"slipway.test", bench_->label().substr(13)}};
  const auto context =
      fakes::make_tar({{"Dockerfile", "FROM " + bench_->image() +
                                          "\nRUN [\"/bin/sh\",\"-c\",\"! grep -q eth0 /proc/net/dev\"]\n"}});
  const auto image = engine().build(build, context, {}, {});
  EXPECT_TRUE(image) << to_string(image.error());
}

TEST_P(RealEngine, health_checks_are_the_engines) {
  auto healthy = spec("health", kSleeps);
  healthy.health.test = {"/bin/true"};
  healthy.health.interval = 1s;
  const auto id = run(healthy);
  EXPECT_EQ(inspect(id).health, "starting");
  EXPECT_TRUE(eventually([&] { return inspect(id).health == "healthy"; }));
}

}  // namespace
}  // namespace slipway::ports
