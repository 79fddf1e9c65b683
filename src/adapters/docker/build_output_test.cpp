#include "adapters/docker/build_output.hpp"

#include <gmock/gmock.h>

#include <cstdlib>
#include <fstream>

namespace slipway::docker {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::StartsWith;

struct Heard {
  std::vector<std::string> lines;
  ports::LineHandler on_line = [this](std::string_view line) { lines.emplace_back(line); };
  BuildOutput output{on_line};

  void feed_recorded(const std::string& name) {
    const char* root = std::getenv("SLIPWAY_SOURCE_DIR");
    std::ifstream file{std::string{root != nullptr ? root : "."} + "/tests/recorded/engine_20.10/" + name};
    ASSERT_TRUE(file) << name;
    for (std::string line; std::getline(file, line);) output.feed(line);
    output.finish();
  }
};

TEST(BuildOutput, of_a_good_build_has_an_image) {
  Heard heard;
  heard.feed_recorded("build_good.jsonl");
  EXPECT_THAT(heard.output.image_id(), StartsWith("sha256:a437901f70dc"));
  EXPECT_EQ(heard.output.error(), "");
  EXPECT_THAT(heard.lines,
              ElementsAre("Step 1/3 : FROM slipway-base-minimal:1", " ---> bdd1358be0d8",
                          "Step 2/3 : LABEL slipway.build=k", " ---> Using cache", " ---> d929da16a156",
                          "Step 3/3 : RUN echo hello", " ---> Running in 7e005c4faf21", "hello",
                          "Removing intermediate container 7e005c4faf21", " ---> a437901f70dc",
                          "Successfully built a437901f70dc", "Successfully tagged slipway/rec:1"));
}

TEST(BuildOutput, of_a_failed_build_has_the_engines_words) {
  Heard heard;
  heard.feed_recorded("build_failed.jsonl");
  EXPECT_EQ(heard.output.image_id(), "");
  EXPECT_EQ(heard.output.error(),
            "The command '/bin/sh -c echo hello && exit 7' returned a non-zero code: 7");
  EXPECT_THAT(heard.output.last_lines(), Contains("hello"));
}

TEST(BuildOutput, keeps_the_last_lines_only) {
  Heard heard;
  for (int i = 0; i < 1000; ++i) heard.output.feed(R"({"stream":"line )" + std::to_string(i) + R"(\n"})");
  EXPECT_EQ(heard.lines.size(), 1000U);
  EXPECT_EQ(heard.output.last_lines().size(), 100U);
  EXPECT_EQ(heard.output.last_lines().back(), "line 999");
}

TEST(BuildOutput, shows_pulls_without_their_progress_and_survives_garbage) {
  Heard heard;
  heard.output.feed(R"({"status":"Pulling from library/python","id":"3.11"})");
  heard.output.feed(
      R"({"status":"Downloading","id":"a1","progressDetail":{"current":1,"total":2},"progress":"[>"})");
  heard.output.feed("<html>");
  heard.output.feed("");
  heard.output.feed(R"({"stream":7,"aux":[],"errorDetail":"x"})");
  EXPECT_THAT(heard.lines, ElementsAre("3.11: Pulling from library/python", "<html>"));
  EXPECT_EQ(heard.output.error(), "");
}

}  // namespace
}  // namespace slipway::docker
