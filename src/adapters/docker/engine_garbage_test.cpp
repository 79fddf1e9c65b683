#include <gmock/gmock.h>

#include <atomic>

#include "adapters/docker/docker_engine.hpp"
#include "base/log.hpp"
#include "tests/fakes/scripted_server.hpp"

namespace slipway::docker {
namespace {

using namespace std::chrono_literals;
using fakes::http_answer;
using fakes::ScriptedServer;
using ::testing::HasSubstr;

constexpr const char* kVersion = R"({"ApiVersion":"1.41","MinAPIVersion":"1.12"})";

// An engine of which only one answer is told: that to everything but /version.
struct Garbled {
  explicit Garbled(std::string answer, std::string version = kVersion)
      : server([this, answer = std::move(answer), version = std::move(version)](auto& peer) {
          for (auto request = peer.read_request(); !request.empty(); request = peer.read_request()) {
            if (request.starts_with("GET /version ")) {
              ++versions;
              peer.say(http_answer(200, version));
            } else if (answer.empty()) {
              peer.read_request();
            } else {
              peer.say(answer);
            }
          }
        }),
        engine(http::Address{server.path(), {}, 0, {}}, "unix://test", Log::silent()) {}

  std::atomic<int> versions = 0;
  ScriptedServer server;
  DockerEngine engine;
};

ports::ContainerSpec demo() {
  ports::ContainerSpec spec;
  spec.name = "demo-1-1";
  spec.image = "image:1";
  return spec;
}

TEST(Version, is_the_newest_that_both_know) {
  EXPECT_EQ(*choose_version("1.41", "1.12"), "1.41");
  EXPECT_EQ(*choose_version("1.47", "1.24"), "1.47");
  EXPECT_EQ(*choose_version("1.56", "1.40"), "1.51");
  EXPECT_EQ(choose_version("1.40", "1.12").error().code, "engine.version");
  EXPECT_EQ(choose_version("1.99", "1.52").error().code, "engine.version");
  for (const auto* bad : {"", "1", "one.two", "1.x", "1.41.2", "0.41", "-1.41"}) {
    EXPECT_EQ(choose_version(bad, "1.12").error().kind, ErrorKind::kCorrupt) << bad;
  }
}

TEST(DockerEngine, F34_says_unknown_for_an_effect_whose_answer_is_garbage) {
  for (const auto& answer :
       {http_answer(500, "<html>oops</html>", "text/html"), http_answer(201, "{\"Id\":"),
        http_answer(201, "{}"), std::string{"garbage\r\n\r\n"}, http_answer(500, "{}")}) {
    Garbled garbled{answer};
    const auto id = garbled.engine.create(demo());
    ASSERT_FALSE(id) << answer;
    EXPECT_TRUE(id.error().kind == ErrorKind::kUnknown || id.error().kind == ErrorKind::kCorrupt)
        << to_string(id.error());
  }
}

TEST(DockerEngine, names_the_troubles_that_it_knows) {
  const auto start = [](int status, const char* words) {
    Garbled garbled{http_answer(status, std::string{R"({"message":")"} + words + "\"}")};
    return garbled.engine.start("x").error();
  };
  EXPECT_EQ(start(500, "driver failed: Bind for 127.0.0.1:80 failed: port is already allocated").code,
            "engine.port_taken");
  EXPECT_EQ(start(500, "write /x: no space left on device").code, "engine.disk_full");
  EXPECT_EQ(start(400, "OCI runtime create failed: exec: /nope").code, "engine.start_failed");
  EXPECT_EQ(start(500, "OCI runtime create failed: mount").code, "engine.start_failed");
  EXPECT_EQ(start(500, "something else").kind, ErrorKind::kUnknown);
  EXPECT_EQ(start(404, "No such container").kind, ErrorKind::kNotFound);
  EXPECT_THAT(start(500, "something else").message, HasSubstr("something else"));
}

TEST(DockerEngine, F34_judges_a_build_by_its_stream_and_not_by_its_status) {
  ports::BuildSpec spec;
  spec.tag = "t:1";
  const auto build = [&](const std::string& answer) {
    return Garbled{answer}.engine.build(spec, "tar", {}, {}).error();
  };
  const auto failed = build(http_answer(
      200,
      "{\"stream\":\"compiling\\n\"}\n{\"errorDetail\":{\"message\":\"code 1\"},\"error\":\"code 1\"}\n"));
  EXPECT_EQ(failed.code, "build.failed");
  EXPECT_EQ(failed.message, "code 1");
  EXPECT_THAT(failed.last_logs, testing::ElementsAre("compiling"));
  EXPECT_EQ(build(http_answer(200, "{\"stream\":\"compiling\\n\"}\n")).kind, ErrorKind::kUnknown);
  EXPECT_EQ(build(http_answer(400, R"({"message":"dockerfile parse error line 1"})")).code, "build.failed");
  EXPECT_EQ(build(http_answer(200, R"({"error":"write: no space left on device"})")).code,
            "engine.disk_full");
}

TEST(DockerEngine, believes_in_no_image_that_it_cannot_see) {
  ScriptedServer server{[](auto& peer) {
    for (auto request = peer.read_request(); !request.empty(); request = peer.read_request()) {
      if (request.starts_with("GET /version ")) peer.say(http_answer(200, kVersion));
      if (request.starts_with("POST /v1.41/build?"))
        peer.say(http_answer(200, "{\"aux\":{\"ID\":\"sha256:1\"}}\n"));
      if (request.starts_with("GET /v1.41/images/sha256:1/json "))
        peer.say(http_answer(200, R"({"Id":"sha256:1","Config":{"Labels":{"slipway.image":"other"}}})"));
    }
  }};
  DockerEngine engine{http::Address{server.path(), {}, 0, {}}, "unix://test", Log::silent()};
  ports::BuildSpec spec;
  spec.tag = "t:1";
  EXPECT_TRUE(engine.build(spec, "tar", {}, {}));
  spec.labels = {{"slipway.image", "key"}};
  EXPECT_EQ(engine.build(spec, "tar", {}, {}).error().code, "engine.failed");
}

TEST(DockerEngine, gives_up_a_silent_build) {
  Garbled garbled{""};
  ports::BuildSpec spec;
  spec.deadline = 1s;
  const auto built = garbled.engine.build(spec, "tar", {}, {});
  ASSERT_FALSE(built);
  EXPECT_EQ(built.error().code, "build.timeout");
  EXPECT_EQ(built.error().kind, ErrorKind::kInvalid);
}

TEST(DockerEngine, F34_bounds_what_it_reads) {
  Garbled garbled{http_answer(200, std::string(9U << 20, ' '))};
  EXPECT_EQ(garbled.engine.list({}).error().code, "engine.malformed");
}

TEST(DockerEngine, asks_for_the_version_once_and_again_when_it_is_refused) {
  Garbled fine{http_answer(200, "[]")};
  EXPECT_TRUE(fine.engine.list({}));
  EXPECT_TRUE(fine.engine.list({}));
  EXPECT_EQ(fine.versions, 1);
  Garbled changed{http_answer(
      400, R"({"message":"client version 1.41 is too new. Maximum supported API version is 1.40"})")};
  EXPECT_FALSE(changed.engine.list({}));
  EXPECT_EQ(changed.versions, 2);
}

TEST(DockerEngine, is_unavailable_when_nobody_listens) {
  DockerEngine engine{http::Address{"/no/such/socket", {}, 0, {}}, "unix:///no/such/socket", Log::silent()};
  const auto pinged = engine.ping();
  ASSERT_FALSE(pinged);
  EXPECT_EQ(pinged.error().code, "engine.unreachable");
  EXPECT_EQ(pinged.error().kind, ErrorKind::kUnavailable);
  EXPECT_THAT(pinged.error().message, HasSubstr("unix:///no/such/socket"));
  EXPECT_EQ(engine.create(demo()).error().kind, ErrorKind::kUnavailable);
}

TEST(DockerEngine, F34_ends_a_watch_with_an_error_when_the_stream_breaks) {
  ScriptedServer server{[](auto& peer) {
    for (auto request = peer.read_request(); !request.empty(); request = peer.read_request()) {
      if (request.starts_with("GET /version ")) peer.say(http_answer(200, kVersion));
      if (request.starts_with("GET /v1.41/info "))
        peer.say(http_answer(200, R"({"ID":"E","SystemTime":"2026-11-22T14:45:21.5Z"})"));
      if (!request.starts_with("GET /v1.41/events?since=1795358721.500000000&")) continue;
      peer.say("HTTP/1.1 200 OK\r\n\r\n");
      peer.say(R"({"Type":"container","Action":"die","Actor":{"ID":"c","Attributes":{"exitCode":"7"}}})"
               "\n");
      return;
    }
  }};
  DockerEngine engine{http::Address{server.path(), {}, 0, {}}, "unix://test", Log::silent()};
  bool ready = false;
  std::vector<ports::EngineEvent> events;
  const auto ended =
      engine.watch("a=b", [&] { ready = true; }, [&](const auto& event) { events.push_back(event); }, {});
  EXPECT_TRUE(ready);
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].exit_code, 7);
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().code, "engine.watch_broken");
}

}  // namespace
}  // namespace slipway::docker
