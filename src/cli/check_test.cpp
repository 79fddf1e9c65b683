#include <gmock/gmock.h>

#include <algorithm>

#include "tests/fakes/cli_world.hpp"

namespace slipway::cli {
namespace {

using nlohmann::json;
using testing::HasSubstr;

json checked(const json& findings) {
  return {{"ok", findings.empty()},
          {"at", "2026-11-22T12:00:00.000Z"},
          {"looked_at",
           {{"services", 3}, {"deployments", 9}, {"machines", 2}, {"containers", 5}, {"messages", 90}}},
          {"found", findings.size()},
          {"findings", findings}};
}

json stray() {
  return {{"code", "container.unknown"},
          {"where", "edge-1/stray"},
          {"what", "nobody here\nmade it"},
          {"fix", "docker rm -f stray"}};
}

TEST_F(CliTest, doctor_check_ends_with_0_where_the_world_is_as_the_journal_says) {
  server.on("GET /api/v1/check", checked(json::array()));
  EXPECT_EQ(run({"doctor", "--check"}), 0);
  EXPECT_EQ(
      out.str(),
      "The world is as the journal says: 3 services, 9 deployments, 2 machines, 5 containers, 90 status "
      "messages.\n");
  EXPECT_EQ(run({"doctor", "--check", "-o", "json"}), 0);
  EXPECT_EQ(json::parse(out.str())["ok"], true);
  EXPECT_EQ(err.str(), "");
}

TEST_F(CliTest, doctor_check_ends_with_1_and_a_line_for_each_finding) {
  server.on("GET /api/v1/check", checked(json::array({stray()})));
  EXPECT_EQ(run({"doctor", "--check"}), 1);
  const std::string text = out.str();
  EXPECT_THAT(text, HasSubstr("✗ edge-1/stray: nobody here"));
  EXPECT_THAT(text, HasSubstr("made it (container.unknown). Fix: docker rm -f stray\n"));
  EXPECT_THAT(text, HasSubstr("1 found in two looks"));
  EXPECT_EQ(std::ranges::count(text, '\n'), 2) << "a line feed of somebody else begins no line";
  EXPECT_EQ(run({"doctor", "--check", "-o", "json"}), 1);
  EXPECT_EQ(json::parse(out.str())["findings"][0]["where"], "edge-1/stray");
}

TEST_F(CliTest, doctor_check_says_what_it_needs_and_does_not_have) {
  server.on(
      "GET /api/v1/check",
      {{"status", 503}, {"kind", "unavailable"}, {"code", "repository.unreachable"}, {"detail", "no answer"}},
      503);
  EXPECT_EQ(run({"doctor", "--check"}), 5);
  server.answers.clear();
  server.on("GET /api/v1/check", json::object());
  EXPECT_EQ(run({"doctor", "--check"}), 1);
  EXPECT_THAT(err.str(), HasSubstr("server.bad_answer"));
}

}  // namespace
}  // namespace slipway::cli
