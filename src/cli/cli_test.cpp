#include "cli/cli.hpp"

#include <gmock/gmock.h>

#include "tests/fakes/cli_world.hpp"

namespace slipway::cli {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

json small_status(const std::string& kafka = "up") {
  return {{"services", json::array()},
          {"machines", json::array()},
          {"systems",
           {{{"name", "Kafka"}, {"state", kafka}, {"detail", "no broker answers"}},
            {{"name", "Scheduler"}, {"state", "up"}, {"detail", "1 in its group"}}}},
          {"problems", kafka == "up" ? json::array() : json{"Kafka is down: no broker answers"}},
          {"ok", kafka == "up"},
          {"version", "0.1.0"}};
}

TEST_F(CliTest, tells_usage_mistakes_on_standard_error_with_code_2) {
  for (const std::vector<std::string>& words :
       std::vector<std::vector<std::string>>{{},
                                             {"no-such-command"},
                                             {"deploy"},
                                             {"deploy", "a", "--path", "b/1"},
                                             {"status", "--no-such-flag"},
                                             {"status", "extra"},
                                             {"-o", "xml", "status"},
                                             {"show"},
                                             {"machine"},
                                             {"machine", "add", "here"},
                                             {"machine", "label", "here", "novalue"},
                                             {"sensor", "add", "x", "--fields", "temperature"},
                                             {"rollback", "x", "--to", "six"},
                                             {"deploy", "f", "--timeout", "soon"},
                                             {"deploy", "missing"},
                                             {"validate", "missing"}}) {
    EXPECT_EQ(run(words), 2) << testing::PrintToString(words);
    EXPECT_EQ(out.str(), "");
    EXPECT_NE(err.str(), "");
  }
  EXPECT_TRUE(server.calls.empty());
}

TEST_F(CliTest, sets_a_secret_from_standard_input_byte_by_byte) {
  server.on("PUT /api/v1/secrets/MQTT_PASSWORD?by=anna", {{"name", "MQTT_PASSWORD"}, {"version", "v-1"}});
  in.str(std::string("corr\0ct\n", 8));
  EXPECT_EQ(run({"secret", "set", "MQTT_PASSWORD"}), 0) << err.str();
  const auto* call = server.find("PUT", "/api/v1/secrets/");
  ASSERT_NE(call, nullptr);
  EXPECT_EQ(call->body, std::string("corr\0ct\n", 8));
  EXPECT_THAT(err.str(), HasSubstr("newline"));
  EXPECT_THAT(out.str() + err.str(), Not(HasSubstr("corr")));
}

TEST_F(CliTest, never_takes_a_secrets_value_as_an_argument_nor_from_a_terminal) {
  EXPECT_EQ(run({"secret", "set", "MQTT_PASSWORD", "hunter2"}), 2);
  EXPECT_EQ(run({"secret", "set", "MQTT_PASSWORD", "--file", "/nowhere/x"}), 2);
  EXPECT_EQ(run({"secret", "set", "MQTT_PASSWORD"}), 2) << "nothing comes";
  terminal = true;
  EXPECT_EQ(run({"secret", "set", "MQTT_PASSWORD"}), 2);
  EXPECT_THAT(err.str(), HasSubstr("--file"));
  EXPECT_TRUE(server.calls.empty());
}

TEST_F(CliTest, lists_and_removes_secrets) {
  server.on("GET /api/v1/secrets",
            json{{{"name", "A"}, {"updated_at", "2026-11-22T12:00:00Z"}, {"by", "anna"}, {"readable", true}},
                 {{"name", "B"}, {"updated_at", "2026-11-22T12:00:00Z"}, {"by", ""}, {"readable", false}}});
  EXPECT_EQ(run({"secret", "ls"}), 0);
  EXPECT_THAT(out.str(), HasSubstr("another"));
  EXPECT_EQ(run({"-o", "name", "secret", "ls"}), 0);
  EXPECT_EQ(out.str(), "A\nB\n");
  EXPECT_EQ(run({"secret", "rm", "A"}), 2) << "nobody said yes";
  server.on("DELETE /api/v1/secrets/A", {{"name", "A"}, {"removed", true}});
  EXPECT_EQ(run({"secret", "rm", "A", "--yes"}), 0) << err.str();
}

TEST_F(CliTest, guesses_what_was_meant) {
  EXPECT_EQ(run({"statsu"}), 2);
  EXPECT_THAT(err.str(), HasSubstr("slipway status"));
  EXPECT_EQ(run({"--yes", "-o", "json", "deplyo", "x"}), 2);
  EXPECT_THAT(err.str(), HasSubstr("slipway deploy"));
  EXPECT_EQ(json::parse(out.str())["code"], "usage") << "an error of -o json is JSON too";
}

TEST_F(CliTest, helps_on_standard_output_with_examples) {
  EXPECT_EQ(run({"--help"}), 0);
  EXPECT_THAT(out.str(), HasSubstr("slipway deploy ./boiler-monitor --machine edge-1"));
  EXPECT_EQ(run({"sensor", "add", "--help"}), 0);
  EXPECT_THAT(out.str(), HasSubstr("--simulated"));
  EXPECT_EQ(run({"--version"}), 0);
  EXPECT_EQ(out.str(), "slipway 0.1.0\n");
}

TEST_F(CliTest, hands_serve_its_options) {
  EXPECT_EQ(run({"serve", "--config", "x.yaml", "--roles", "gateway,scheduler"}), 0);
  ASSERT_TRUE(served);
  EXPECT_EQ(served->config, "x.yaml");
  EXPECT_EQ(served->roles, (std::vector<std::string>{"gateway", "scheduler"}));
  EXPECT_EQ(run({"serve"}), 0);
  EXPECT_EQ(served->roles, std::vector<std::string>{"all"});
}

TEST_F(CliTest, finds_its_server) {
  server.on("GET /api/v1/status", small_status());
  EXPECT_EQ(run({"status"}), 0);
  EXPECT_EQ(connected_to, "http://127.0.0.1:7420");
  env["SLIPWAY_URL"] = "http://10.0.0.1:7420";
  EXPECT_EQ(run({"status"}), 0);
  EXPECT_EQ(connected_to, "http://10.0.0.1:7420");
  EXPECT_EQ(run({"status", "--server", "http://10.0.0.2:7420"}), 0);
  EXPECT_EQ(connected_to, "http://10.0.0.2:7420");
}

TEST_F(CliTest, ends_with_5_and_the_name_of_what_cannot_be_reached) {
  server.on("GET /api/v1/status", small_status("down"));
  for (const char* command : {"status", "doctor"}) {
    EXPECT_EQ(run({command}), 5);
    EXPECT_THAT(err.str(), HasSubstr("Kafka is down"));
    EXPECT_THAT(out.str(), HasSubstr("Kafka"));
  }
  server.answers.clear();
  server.on("GET /api/v1/status", unavailable("server.unreachable", "connection refused"));
  env["SLIPWAY_URL"] = "http://127.0.0.1:9";
  EXPECT_EQ(run({"status"}), 5);
  EXPECT_THAT(err.str(), HasSubstr("http://127.0.0.1:9"));
  server.answers["GET /api/v1/status"] = {ports::HttpAnswer{502, {}, "<html>proxy</html>"}};
  EXPECT_EQ(run({"status"}), 5);
  EXPECT_THAT(err.str(), HasSubstr("no Slipway server"));
}

TEST_F(CliTest, doctor_ends_with_1_when_a_system_is_down) {
  json status = small_status();
  server.on("GET /api/v1/status", status);
  EXPECT_EQ(run({"doctor"}), 0);
  status["systems"][1]["state"] = "down";
  server.answers.clear();
  server.on("GET /api/v1/status", status);
  EXPECT_EQ(run({"doctor"}), 1);
  EXPECT_THAT(out.str(), HasSubstr("Scheduler"));
  EXPECT_EQ(run({"doctor", "-o", "json"}), 1);
  EXPECT_EQ(json::parse(out.str())["ok"], false);
}

TEST_F(CliTest, gives_the_servers_refusals_their_exit_codes) {
  const auto refuse = [&](int status, const char* kind, const char* code) {
    server.answers.clear();
    server.on("GET /api/v1/services/x",
              {{"status", status}, {"kind", kind}, {"code", code}, {"detail", "because"}, {"hint", "try"}},
              status);
    return run({"show", "x"});
  };
  EXPECT_EQ(refuse(404, "not_found", "service.not_found"), 3);
  EXPECT_THAT(err.str(), HasSubstr("because (service.not_found)\n  hint  try"));
  EXPECT_EQ(refuse(403, "denied", "http.foreign_host"), 4);
  EXPECT_EQ(refuse(503, "unavailable", "repository.unreachable"), 5);
  EXPECT_THAT(err.str(), HasSubstr("(repository.unreachable)")) << "not the server's address";
  EXPECT_EQ(refuse(500, "internal", "bug"), 1);
}

TEST_F(CliTest, asks_before_it_removes_and_never_without_somebody_to_answer) {
  server.on("GET /api/v1/services/x", {{"name", "x"}});
  EXPECT_EQ(run({"rm", "x"}), 2);
  EXPECT_EQ(run({"machine", "rm", "x"}), 2);
  EXPECT_EQ(run({"sensor", "rm", "x"}), 2);
  EXPECT_THAT(err.str(), HasSubstr("--yes"));
  terminal = true;
  in.str("n\n");
  EXPECT_EQ(run({"rm", "x"}), 10);
  EXPECT_EQ(server.find("POST", "/"), nullptr);
  server.on("POST /api/v1/machines/requests", {{"machine", "x"}});
  EXPECT_EQ(run({"machine", "rm", "x", "--yes"}), 0);
  in.str("y\n");
  EXPECT_EQ(run({"machine", "rm", "x"}), 0);
}

TEST_F(CliTest, sends_what_a_machine_and_a_sensor_are) {
  server.on("POST /api/v1/machines/requests", {{"machine", "edge-1"}});
  server.on("POST /api/v1/sensors/requests", {{"sensor_id", "boiler-7"}});
  EXPECT_EQ(run({"machine", "add", "edge-1", "tcp://10.77.0.2:2375", "--label", "site=plant-2"}), 0)
      << err.str();
  json sent = json::parse(server.calls.back().body);
  EXPECT_EQ(sent["action"], "add");
  EXPECT_EQ(sent["machine"], "edge-1");
  EXPECT_EQ(sent["docker"], "tcp://10.77.0.2:2375");
  EXPECT_EQ(sent["labels"], (json{{"site", "plant-2"}}));
  EXPECT_EQ(sent["requested_by"], "anna");
  EXPECT_EQ(run({"machine", "add", "here", "--docker", "unix:///var/run/docker.sock"}), 0);
  EXPECT_EQ(json::parse(server.calls.back().body)["docker"], "unix:///var/run/docker.sock");
  EXPECT_EQ(run({"sensor", "add", "boiler-7", "--type", "bme280", "--location", "plant-2/boiler-room",
                 "--rate", "1/s", "--fields", "temperature=Cel,humidity=%", "--simulated"}),
            0)
      << err.str();
  sent = json::parse(server.calls.back().body);
  EXPECT_EQ(sent["action"], "simulate");
  EXPECT_THAT(sent.dump(), HasSubstr("boiler-7"));
  EXPECT_THAT(sent.dump(), HasSubstr(R"("humidity":"%")"));
  EXPECT_EQ(run({"sensor", "add", "boiler-8", "--type", "bme280"}), 0);
  EXPECT_EQ(json::parse(server.calls.back().body)["action"], "add");
}

TEST_F(CliTest, escapes_hostile_text) {
  server.on("GET /api/v1/services/x/logs?tail=100",
            {{"source", "container"}, {"lines", {"\x1b]0;owned\x07 hi"}}});
  EXPECT_EQ(run({"logs", "x"}), 0);
  EXPECT_THAT(out.str(), Not(HasSubstr("\x1b")));
  EXPECT_THAT(out.str(), HasSubstr("hi"));
}

TEST_F(CliTest, prints_messages_one_line_each) {
  server.streams.push_back(
      {{R"({"event":"beat"})",
        R"({"event":"message","data":{"time":"2026-11-22T11:58:03.120Z","from":"Deployment Manager","to":"Service Life Cycle Manager","topic":"slipway.deployment.status","says":"boiler-monitor built succeeded"}})",
        R"({"event":"message","data":{"topic":"slipway.machine.stats","says":"noise"}})"},
       {},
       [this] { interrupt.request_stop(); }});
  EXPECT_EQ(run({"messages", "-f", "--topic", "deployment"}), 0);
  EXPECT_EQ(out.str(),
            "11:58:03.120  Deployment Manager -> Service Life Cycle Manager  slipway.deployment.status  "
            "boiler-monitor built succeeded\n");
}

TEST_F(CliTest, validates_without_a_server) {
  EXPECT_EQ(run({"validate", "folder"}), 0);
  EXPECT_THAT(out.str(), HasSubstr("service.yaml is valid: boiler-monitor 1.4.0, python@3.11, 2 files"));
  archives.meta = "name: boiler-monitor\nprots: [8080]\nruntime: python@3.11\ncommand: x\n";
  EXPECT_EQ(run({"validate", "folder"}), 2);
  EXPECT_THAT(err.str(), HasSubstr("service.yaml:2:1"));
  EXPECT_EQ(run({"validate", "folder", "-o", "json"}), 2);
  const json told = json::parse(out.str());
  EXPECT_EQ(told["valid"], false);
  EXPECT_EQ(told["errors"][0]["code"], "meta.unknown_key");
  EXPECT_TRUE(server.calls.empty());
}

}  // namespace
}  // namespace slipway::cli
