#include <gmock/gmock.h>

#include "messages/deployment_status.hpp"
#include "tests/fakes/cli_world.hpp"

namespace slipway::cli {
namespace {

using messages::DeploymentStatus;
using messages::Stage;
using messages::State;
using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

class DeployTest : public CliTest {
 protected:
  DeployTest() {
    server.on("PUT /api/v1/sources/boiler-monitor/1.4.0", {{"path", "boiler-monitor/1.4.0"}});
    server.on("POST /api/v1/services/requests", {{"accepted", true}});
    server.on("GET /api/v1/services/boiler-monitor",
              {{"name", "boiler-monitor"}, {"ports", {{{"target", 8080}, {"address", "127.0.0.1:49153"}}}}});
  }
  std::string say(Stage stage, State state, const std::string& message = {},
                  milliseconds took = milliseconds{100}) {
    DeploymentStatus status = next(stage, state);
    status.message = message;
    if (state != State::kRunning) status.took = took;
    return line(status);
  }
  std::string fail_at(Stage stage, std::optional<std::int64_t> serving, Error error) {
    DeploymentStatus status = next(Stage::kDone, State::kFailed);
    status.final = true;
    status.error_stage = to_string(stage);
    status.serving = serving;
    status.error = std::move(error);
    return line(status);
  }
  std::string end(State state, bool unchanged = false) {
    DeploymentStatus status = next(Stage::kDone, state);
    status.final = true;
    status.unchanged = unchanged;
    status.serving = 7;
    return line(status);
  }
  static std::string line(const DeploymentStatus& status) {
    return json{{"event", "status"}, {"data", messages::to_value(status)}}.dump();
  }
  std::vector<std::string> all_well() {
    return {say(Stage::kAccepted, State::kSucceeded),
            say(Stage::kFetched, State::kSucceeded, "2 files"),
            say(Stage::kValidated, State::kSucceeded),
            say(Stage::kBuilt, State::kRunning),
            say(Stage::kBuilt, State::kSucceeded, "4/4 steps, 2 cached", milliseconds{11'300}),
            say(Stage::kStarted, State::kSucceeded, "boiler-monitor-7-1"),
            say(Stage::kHealthy, State::kSucceeded, "GET :8080/healthz -> 200"),
            end(State::kSucceeded)};
  }
  DeploymentStatus next(Stage stage, State state) {
    DeploymentStatus status;
    status.request_id = "r-1";
    status.service_id = "boiler-monitor";
    status.machine = "edge-1";
    status.release = 7;
    status.seq = ++seq;
    status.stage = stage;
    status.state = state;
    return status;
  }
  std::int64_t seq = 0;
};

TEST_F(DeployTest, uploads_asks_and_follows_to_the_end) {
  server.streams.push_back({all_well(), {}, {}});
  EXPECT_EQ(run({"deploy", "folder", "--machine", "edge-1"}), 0) << err.str();
  const auto* request = server.find("POST", "/api/v1/services/requests");
  ASSERT_NE(request, nullptr);
  const json sent = json::parse(request->body);
  EXPECT_EQ(sent["service_id"], "boiler-monitor");
  EXPECT_EQ(sent["path"], "boiler-monitor/1.4.0");
  EXPECT_EQ(sent["digest"], sha256_hex(std::string(2048, 't')));
  EXPECT_EQ(sent["requested_by"], "anna");
  const std::string id = sent["request_id"];
  EXPECT_THAT(server.find("GET", "/api/v1/stream")->target, HasSubstr("deployment:" + id));
  EXPECT_THAT(out.str(), testing::MatchesRegex("Deployed boiler-monitor 1.4.0 to edge-1 in [0-9.]+ s\\.\n"
                                               "  open http://127.0.0.1:49153   watch slipway logs -f "
                                               "boiler-monitor   undo slipway rollback boiler-monitor\n"));
  const std::string shown = err.str();
  EXPECT_THAT(shown, testing::StartsWith("boiler-monitor 1.4.0 -> edge-1   python@3.11   d-"));
  const auto rows = shown.substr(shown.find("  Build"));
  EXPECT_EQ(rows,
            "  Build      running\n"
            "  Build      done     4/4 steps, 2 cached  (11.3 s)\n"
            "  Start      done     boiler-monitor-7-1  (0.1 s)\n"
            "  Healthy    done     GET :8080/healthz -> 200  (0.1 s)\n");
  EXPECT_THAT(shown, Not(HasSubstr("Fetch"))) << "what was uploaded a moment ago is no news";
}

TEST_F(DeployTest, says_that_nothing_was_touched_when_unchanged) {
  server.streams.push_back({{end(State::kSucceeded, true)}, {}, {}});
  EXPECT_EQ(run({"deploy", "folder", "-m", "edge-1"}), 0);
  EXPECT_THAT(out.str(), HasSubstr("is unchanged: nothing was touched"));
}

TEST_F(DeployTest, shows_the_failure_whole_and_ends_with_7) {
  server.streams.push_back(
      {{say(Stage::kBuilt, State::kSucceeded), say(Stage::kHealthy, State::kRunning, "waiting"),
        fail_at(Stage::kHealthy, 6,
                {ErrorKind::kInvalid,
                 "container.died",
                 "the process ended with exit code 3",
                 "",
                 "read the last lines",
                 {"the boiler has no pressure", "giving up \x1b[31m"}})},
       {},
       {}});
  EXPECT_EQ(run({"deploy", "folder", "--machine", "edge-1"}), 7);
  EXPECT_EQ(out.str(), "");
  EXPECT_THAT(err.str(), HasSubstr("  Healthy    failed   the process ended with exit code 3"));
  const std::string block = err.str().substr(err.str().find("Failed:"));
  EXPECT_THAT(
      block,
      testing::MatchesRegex(
          "Failed: boiler-monitor 1.4.0 on edge-1 at stage healthy after [0-9.]+ s \\(d-[a-z0-9-]+\\)\n"
          "  why    the process ended with exit code 3 \\(container.died\\)\n"
          "  last lines\n"
          "    \\| the boiler has no pressure\n"
          "    \\| giving up .*\n"
          "  now    release 6 is serving\n"
          "  to do  read the last lines\n"
          "         slipway show boiler-monitor   slipway logs boiler-monitor\n"));
  EXPECT_THAT(block, Not(HasSubstr("\x1b")));
}

TEST_F(DeployTest, ends_with_8_when_nothing_serves_and_6_when_the_build_failed) {
  server.streams.push_back(
      {{fail_at(Stage::kStarted, {}, invalid("container.died", "exit code 3"))}, {}, {}});
  EXPECT_EQ(run({"deploy", "folder"}), 8);
  EXPECT_THAT(err.str(), HasSubstr("the service is down"));
  seq = 0;
  server.streams.push_back(
      {{fail_at(Stage::kBuilt, 6, invalid("build.failed", "pip found no such package"))}, {}, {}});
  EXPECT_EQ(run({"deploy", "folder"}), 6);
}

TEST_F(DeployTest, gives_the_final_status_as_json) {
  server.streams.push_back({{fail_at(Stage::kStarted, 6, invalid("container.died", "exit code 3"))}, {}, {}});
  EXPECT_EQ(run({"deploy", "folder", "-o", "json", "--progress", "quiet"}), 7);
  const json told = json::parse(out.str());
  EXPECT_EQ(told["exit_code"], 7);
  EXPECT_EQ(told["error"]["code"], "container.died");
}

/// The events of --progress json; every line must be one.
std::vector<json> events(const std::string& text) {
  std::vector<json> all;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    all.push_back(json::parse(line, nullptr, false));
    EXPECT_TRUE(all.back().is_object() && all.back().contains("event")) << line;
  }
  return all;
}

TEST_F(DeployTest, tells_each_change_as_a_line_of_json) {
  server.streams.push_back({all_well(), {}, {}});
  EXPECT_EQ(run({"deploy", "folder", "--machine", "edge-1", "--progress", "json"}), 0);
  const auto told = events(err.str());
  ASSERT_EQ(told.size(), 3U + 1U + all_well().size() + 1U) << err.str();
  EXPECT_EQ(told[0]["event"], "step");
  EXPECT_EQ(told[0]["data"]["step"], "Validate");
  EXPECT_EQ(told[2]["data"]["state"], "done");
  EXPECT_EQ(told[3]["event"], "request");
  EXPECT_EQ(told[3]["data"]["path"], "boiler-monitor/1.4.0");
  EXPECT_EQ(told[4]["event"], "status");
  EXPECT_EQ(told[4]["data"]["stage"], "accepted") << "also what is no news to people";
  EXPECT_EQ(told[told.size() - 2]["data"]["final"], true);
  EXPECT_EQ(told.back(), (json{{"event", "end"}, {"data", {{"exit_code", 0}}}}));
  EXPECT_THAT(out.str(), HasSubstr("Deployed boiler-monitor")) << "the result stays on standard output";
}

TEST_F(DeployTest, tells_failures_as_json_too_and_the_exit_code_last) {
  server.streams.push_back({{fail_at(Stage::kStarted, 6, invalid("container.died", "exit code 3"))}, {}, {}});
  EXPECT_EQ(run({"deploy", "folder", "--progress", "json"}), 7);
  auto told = events(err.str());
  EXPECT_EQ(told[told.size() - 2]["data"]["error"]["code"], "container.died");
  EXPECT_EQ(told.back()["data"]["exit_code"], 7);
  server.streams.push_back({{say(Stage::kBuilt, State::kRunning)}, {}, [this] { interrupt.request_stop(); }});
  EXPECT_EQ(run({"deploy", "folder", "--progress", "json"}), 130);
  told = events(err.str());
  EXPECT_EQ(told[told.size() - 2]["event"], "interrupted");
  archives.meta = "name: Bad_Name\nruntime: python@3.11\ncommand: a\nprots: [1]\n";
  EXPECT_EQ(run({"deploy", "folder", "--progress", "json"}), 2);
  told = events(err.str());
  ASSERT_EQ(told.size(), 3U);
  EXPECT_EQ(told[0]["event"], "error");
  EXPECT_EQ(told[0]["data"]["where"], "service.yaml:1:7");
  EXPECT_EQ(told[1]["data"]["code"], "meta.unknown_key");
  EXPECT_EQ(run({"deploy", "missing", "--progress", "json"}), 2);
  told = events(err.str());
  EXPECT_EQ(told[0]["data"]["code"], "source.not_found");
  EXPECT_EQ(told.back()["data"]["exit_code"], 2);
  EXPECT_EQ(run({"deplyo", "folder", "--progress=json"}), 2);
  told = events(err.str());
  EXPECT_EQ(told[0]["data"]["code"], "usage");
}

TEST_F(DeployTest, goes_on_after_the_server_went_away) {
  auto lines = all_well();
  server.streams.push_back(
      {{lines[0], lines[1], lines[4]}, Error{ErrorKind::kUnknown, "server.no_answer", "closed"}, {}});
  server.streams.push_back({{}, unavailable("server.unreachable", "refused"), {}});
  server.streams.push_back({lines, {}, {}});
  EXPECT_EQ(run({"deploy", "folder", "--machine", "edge-1"}), 0);
  const std::string shown = err.str();
  EXPECT_EQ(shown.find("  Build      done"), shown.rfind("  Build      done"))
      << "each change once: " << shown;
}

TEST_F(DeployTest, says_when_interrupted_that_it_goes_on_C04) {
  server.streams.push_back({{say(Stage::kBuilt, State::kRunning)}, {}, [this] { interrupt.request_stop(); }});
  EXPECT_EQ(run({"deploy", "folder"}), 130);
  EXPECT_THAT(err.str(), testing::ContainsRegex("slipway follow r-[0-9A-Z]+"));
  EXPECT_THAT(err.str(), testing::ContainsRegex("slipway cancel r-[0-9A-Z]+"));
}

TEST_F(DeployTest, ends_with_9_when_the_deadline_passes_and_prints_the_id) {
  server.streams.push_back(
      {{say(Stage::kBuilt, State::kRunning)}, Error{ErrorKind::kUnknown, "server.no_answer", "closed"}, {}});
  EXPECT_EQ(run({"deploy", "folder", "--timeout", "1ms"}), 9);
  EXPECT_THAT(err.str(), testing::ContainsRegex("slipway follow r-"));
}

TEST_F(DeployTest, refuses_a_bad_meta_file_before_anything_is_sent) {
  archives.meta = "name: Bad_Name\nruntime: python@3.11\ncommand: a\n";
  EXPECT_EQ(run({"deploy", "folder"}), 2);
  EXPECT_THAT(err.str(), HasSubstr("service.yaml:1:7"));
  EXPECT_TRUE(server.calls.empty());
}

TEST_F(DeployTest, deploys_a_path_of_the_repository_without_an_upload) {
  server.streams.push_back({all_well(), {}, {}});
  EXPECT_EQ(run({"deploy", "--path", "boiler-monitor/1.3.9"}), 0);
  EXPECT_EQ(server.find("PUT", "/"), nullptr);
  EXPECT_EQ(json::parse(server.find("POST", "/")->body)["path"], "boiler-monitor/1.3.9");
  EXPECT_THAT(err.str(), HasSubstr("  Fetch      done     2 files"));
}

TEST_F(DeployTest, rolls_back_to_the_release_before_or_to_a_given_one) {
  server.streams.push_back({{end(State::kSucceeded)}, {}, {}});
  EXPECT_EQ(run({"rollback", "boiler-monitor"}), 0);
  EXPECT_THAT(out.str(), HasSubstr("Rolled back boiler-monitor on edge-1"));
  EXPECT_FALSE(json::parse(server.find("POST", "/")->body).contains("release"));
  server.calls.clear();
  server.streams.push_back(
      {{fail_at(Stage::kAccepted, 7, not_found("release.not_found", "no release 3"))}, {}, {}});
  EXPECT_EQ(run({"rollback", "boiler-monitor", "--to", "3"}), 3);
  EXPECT_EQ(json::parse(server.find("POST", "/")->body)["release"], 3);
}

TEST_F(DeployTest, prints_what_an_algorithm_said) {
  server.on("GET /api/v1/services/boiler-monitor/logs?tail=30", {{"lines", {"the mean is 42"}}});
  server.streams.push_back({{end(State::kCompleted)}, {}, {}});
  EXPECT_EQ(run({"deploy", "folder"}), 0);
  EXPECT_THAT(out.str(), HasSubstr("ran and completed"));
  EXPECT_THAT(out.str(), HasSubstr("the mean is 42"));
}

}  // namespace
}  // namespace slipway::cli
