#include "adapters/docker/answers.hpp"

#include <gmock/gmock.h>

#include <cstdlib>
#include <fstream>
#include <iterator>

namespace slipway::docker {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

// An answer of a real Engine 20.10.
std::string recorded(const std::string& name) {
  const char* root = std::getenv("SLIPWAY_SOURCE_DIR");
  std::ifstream file{std::string{root != nullptr ? root : "."} + "/tests/recorded/engine_20.10/" + name};
  EXPECT_TRUE(file) << name;
  return {std::istreambuf_iterator<char>{file}, {}};
}

TEST(Answers, version) {
  const auto version = parse_version(recorded("version.json"));
  ASSERT_TRUE(version);
  EXPECT_EQ(version->api, "1.41");
  EXPECT_EQ(version->min_api, "1.12");
}

TEST(Answers, info) {
  const auto answer = parse_info(recorded("info.json"));
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->info.name, "machine-1");
  EXPECT_EQ(answer->info.version, "20.10.24+dfsg1");
  EXPECT_EQ(answer->info.architecture, "x86_64");
  EXPECT_EQ(answer->info.storage_driver, "overlay2");
  EXPECT_EQ(answer->info.cgroup_version, 1);
  EXPECT_EQ(answer->info.root_dir, "/var/lib/docker");
  EXPECT_EQ(answer->info.cpus, 2);
  EXPECT_GT(answer->info.memory, 1'000'000'000);
  EXPECT_EQ(answer->now, "1795358721.123456789");
}

TEST(Answers, running_container) {
  const auto container = parse_container(recorded("running.json"));
  ASSERT_TRUE(container);
  EXPECT_EQ(container->name, "rec-demo-1");
  EXPECT_EQ(container->image, "slipway-base-minimal:1");
  EXPECT_THAT(container->image_id, testing::StartsWith("sha256:bdd1358be0d8"));
  EXPECT_EQ(container->state, "running");
  EXPECT_TRUE(container->running);
  EXPECT_EQ(container->health, "healthy");
  EXPECT_EQ(container->restart, "on-failure:5");
  EXPECT_EQ(container->started_at, "2026-11-22T14:45:21.932884628Z");
  EXPECT_THAT(container->labels, Contains(Pair("slipway.service", "demo")));
  EXPECT_THAT(container->ports, ElementsAre(Pair(8080, "127.0.0.1:32773")));
}

TEST(Answers, created_and_exited_container) {
  const auto created = parse_container(recorded("created.json"));
  EXPECT_EQ(created->state, "created");
  EXPECT_FALSE(created->running);
  EXPECT_TRUE(created->ports.empty());
  const auto exited = parse_container(recorded("exited.json"));
  EXPECT_EQ(exited->state, "exited");
  EXPECT_EQ(exited->exit_code, 137);
  EXPECT_EQ(exited->finished_at, "2026-11-22T14:45:24.613706049Z");
}

TEST(Answers, container_that_waits_for_its_next_start_does_not_run) {
  const auto container = parse_container(
      R"({"Id":"1","State":{"Status":"restarting","Running":true,"Restarting":true,"OOMKilled":true,"ExitCode":137}})");
  EXPECT_FALSE(container->running);
  EXPECT_TRUE(container->oom_killed);
}

TEST(Answers, list_of_containers) {
  const auto containers = parse_containers(recorded("list.json"));
  ASSERT_TRUE(containers);
  ASSERT_EQ(containers->size(), 1U);
  const auto& one = containers->front();
  EXPECT_EQ(one.name, "rec-demo-1");
  EXPECT_TRUE(one.running);
  EXPECT_EQ(one.health, "healthy");
  EXPECT_THAT(one.ports, ElementsAre(Pair(8080, "127.0.0.1:32773")));
}

TEST(Answers, list_tells_exit_codes_and_health_in_words) {
  const auto containers = parse_containers(
      R"json([{"Id":"1","State":"exited","Status":"Exited (137) 2 minutes ago"},
          {"Id":"2","State":"running","Status":"Up 3 hours (unhealthy)"},
          {"Id":"3","State":"running","Status":"Up 1 second (health: starting)"},
          {"Id":"4","State":"restarting","Status":"Restarting (7) 1 second ago"},
          {"Id":"5","State":"running","Status":"Up 3 hours","Ports":[{"IP":"::1","PrivatePort":1,"PublicPort":2}]}])json");
  ASSERT_TRUE(containers);
  EXPECT_EQ((*containers)[0].exit_code, 137);
  EXPECT_EQ((*containers)[1].health, "unhealthy");
  EXPECT_EQ((*containers)[2].health, "starting");
  EXPECT_EQ((*containers)[3].exit_code, 7);
  EXPECT_FALSE((*containers)[3].running);
  EXPECT_EQ((*containers)[4].health, "none");
  EXPECT_EQ((*containers)[4].exit_code, 0);
  EXPECT_EQ((*containers)[4].ports.at(1), "[::1]:2");
}

TEST(Answers, image) {
  const auto image = parse_image(recorded("image.json"));
  ASSERT_TRUE(image);
  EXPECT_THAT(image->tags, ElementsAre("slipway-base-minimal:1"));
  EXPECT_THAT(image->labels, Contains(Pair("slipway.base.recipe", "ca0c2ce3f4617476")));
  EXPECT_THAT(image->command, ElementsAre("sh"));
  EXPECT_EQ(image->user, "");
  const auto exposing =
      parse_image(R"({"Id":"x","Config":{"User":"65532","ExposedPorts":{"8080/tcp":{},"53/udp":{}}}})");
  EXPECT_THAT(exposing->exposed, ElementsAre(53, 8080));
  EXPECT_EQ(exposing->user, "65532");
}

TEST(Answers, images_come_newest_first) {
  EXPECT_THAT(
      *parse_image_ids(R"([{"Id":"old","Created":1},{"Id":"new","Created":3},{"Id":"mid","Created":2}])"),
      ElementsAre("new", "mid", "old"));
  EXPECT_THAT(*parse_image_ids("[]"), ElementsAre());
}

TEST(Answers, events) {
  std::istringstream lines{recorded("events.jsonl")};
  std::vector<std::string> actions;
  for (std::string line; std::getline(lines, line);) {
    const auto event = parse_event(line);
    ASSERT_TRUE(event) << line;
    if (!*event) continue;
    actions.push_back((*event)->action);
    EXPECT_THAT((*event)->container_id, testing::StartsWith("e273fdb82ef9"));
    EXPECT_EQ((*event)->labels.at("slipway.service"), "demo");
    EXPECT_EQ((*event)->labels.at("name"), "rec-demo-1");
    if ((*event)->action == "die") {
      EXPECT_EQ((*event)->exit_code, 137);
      EXPECT_EQ(to_ms((*event)->at), 1795358724643);
    }
    if ((*event)->action == "health_status") {
      EXPECT_EQ((*event)->health, "healthy");
    }
  }
  EXPECT_THAT(actions,
              ElementsAre("create", "start", "health_status", "kill", "kill", "die", "stop", "destroy"));
}

TEST(Answers, exec) {
  const auto state = parse_exec(recorded("exec.json"));
  ASSERT_TRUE(state);
  EXPECT_FALSE(state->running);
  EXPECT_EQ(state->exit_code, 3);
  EXPECT_FALSE(parse_exec(R"({"Running":true,"ExitCode":null})")->exit_code);
}

TEST(Answers, words_of_a_refusal) {
  EXPECT_EQ(parse_message(R"({"message":"No such container: x\n"})"), "No such container: x");
  EXPECT_EQ(parse_message("<html>bad gateway</html>"), "<html>bad gateway</html>");
  EXPECT_EQ(parse_message(""), "");
  EXPECT_THAT(parse_message("{\"message\":\"\x1b[31mred\"}"), Not(HasSubstr("\x1b")));
  EXPECT_LE(parse_message(std::string(100'000, 'x')).size(), 2000U);
}

TEST(Answers, what_is_no_answer_is_malformed) {
  const std::string deep(100'000, '[');
  for (const std::string& bytes :
       {std::string{}, std::string{"<html>"}, std::string{"{\"Id\":"}, std::string{"null"}, std::string{"7"},
        std::string{"{}"}, std::string{R"({"Id":7})"}, deep, deep + std::string(100'000, ']')}) {
    const auto container = parse_container(bytes);
    ASSERT_FALSE(container) << bytes.substr(0, 40);
    EXPECT_EQ(container.error().kind, ErrorKind::kCorrupt);
    EXPECT_EQ(container.error().code, "engine.malformed");
    EXPECT_FALSE(parse_image(bytes));
    EXPECT_FALSE(parse_info(bytes));
    EXPECT_FALSE(parse_version(bytes));
  }
  EXPECT_FALSE(parse_containers("{}"));
  EXPECT_FALSE(parse_image_ids("{}"));
}

TEST(Answers, fields_of_another_type_read_as_empty) {
  const auto container = parse_container(
      R"({"Id":"1","Name":7,"State":{"ExitCode":99999999999999999999,"Running":"yes","Health":[]},"Config":[],
          "HostConfig":null,"NetworkSettings":{"Ports":{"x/tcp":null,"80/tcp":[],"81/tcp":[7]}},"RestartCount":1.5})");
  ASSERT_TRUE(container);
  EXPECT_EQ(container->exit_code, 0);
  EXPECT_FALSE(container->running);
  EXPECT_EQ(container->restart_count, 0);
  EXPECT_EQ(container->restart, "no");
}

TEST(Answers, volumes_are_read_and_null_is_none) {
  const auto volumes = parse_volumes(
      R"({"Volumes":[{"Name":"shop.data","Driver":"local","Labels":{"slipway.service":"shop"}},{"Name":"bare","Labels":null}],"Warnings":null})");
  ASSERT_TRUE(volumes);
  ASSERT_EQ(volumes->size(), 2U);
  EXPECT_EQ(volumes->at(0).name, "shop.data");
  EXPECT_THAT(volumes->at(0).labels, Contains(Pair("slipway.service", "shop")));
  EXPECT_TRUE(volumes->at(1).labels.empty());
  EXPECT_TRUE(parse_volumes(R"({"Volumes":null})")->empty());
  EXPECT_EQ(parse_volumes(R"({"message":"no"})").error().code, "engine.malformed");
  EXPECT_EQ(parse_volumes("[]").error().code, "engine.malformed");
}

}  // namespace
}  // namespace slipway::docker
