#include "gateway/gateway.hpp"

#include <gmock/gmock.h>

#include <set>

#include "base/digest.hpp"
#include "base/thread.hpp"
#include "gateway/router.hpp"
#include "messages/deployment_request.hpp"
#include "messages/machine.hpp"
#include "messages/service_event.hpp"
#include "tests/fakes/gateway_world.hpp"

namespace slipway::gateway {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using namespace std::chrono_literals;

ports::Service boiler() {
  ports::Service service;
  service.service_id = "boiler-monitor";
  service.state = "running";
  service.serving = 7;
  service.version = "1.4.0";
  service.machine = "edge-1";
  return service;
}

ports::Release release(std::int64_t number) {
  ports::Release made;
  made.service_id = "boiler-monitor";
  made.number = number;
  made.path = "boiler-monitor/1.4." + std::to_string(number);
  made.dockerfile = "FROM slipway/python\n# " + std::to_string(number) + "\n";
  return made;
}

messages::DeploymentStatus stage(std::int64_t seq, bool last = false) {
  messages::DeploymentStatus status;
  status.request_id = "r-1";
  status.service_id = "boiler-monitor";
  status.seq = seq;
  status.stage = last ? messages::Stage::kDone : messages::Stage::kBuilt;
  status.state = messages::State::kSucceeded;
  status.final = last;
  return status;
}

/// Plays a system: answers each request on `requests` by `make_reply(value)` on `replies`.
class Neighbour {
 public:
  Neighbour(ports::Bus& bus, const std::string& requests, const std::string& replies,
            std::function<std::string(const std::string&)> make_reply)
      : consumer_(*bus.read_all({requests}, ports::From::kEnd)),
        worker_([this, &bus, replies, make_reply = std::move(make_reply)](const std::stop_token& stop) {
          while (!stop.stop_requested()) {
            const auto records = consumer_->poll(10, milliseconds{20});
            if (!records) continue;
            for (const ports::Record& record : *records) {
              ports::Outgoing reply;
              reply.topic = replies;
              reply.key = record.key.value_or("");
              reply.value = make_reply(record.value.value_or(""));
              EXPECT_TRUE(bus.publish(reply));
            }
          }
        }) {}

 private:
  std::unique_ptr<ports::Consumer> consumer_;
  Worker worker_;
};

std::string accept(const std::string& request) {
  const auto wish = messages::parse_deployment_request(request, std::nullopt, {});
  messages::ServiceReply reply;
  reply.request_id = wish->request.request_id;
  reply.service_id = wish->request.service_id;
  reply.accepted = true;
  return messages::to_json(reply);
}

constexpr const char* kDeploy =
    R"({"request_id":"r-1","service_id":"boiler-monitor","path":"boiler-monitor/1.4.0","machine":"edge-1"})";

TEST_F(GatewayTest, turns_a_wish_into_a_message_and_gives_the_owners_reply) {
  start();
  const Neighbour life_cycle_manager(bus, topics.service_requests, topics.service_replies, accept);
  const auto answer = server.ask("POST", "/api/v1/services/requests", kDeploy);
  EXPECT_EQ(answer.status, 200) << answer.body;
  EXPECT_EQ(json::parse(answer.body)["accepted"], true);
  const auto sent = bus.records(topics.service_requests);
  ASSERT_EQ(sent.size(), 1U);
  EXPECT_EQ(sent[0].key, "boiler-monitor");
  EXPECT_EQ(json::parse(*sent[0].value)["request_id"], "r-1");
  EXPECT_EQ(repository.writes(), 0) << "the gateway changes nothing itself";
}

TEST_F(GatewayTest, gives_a_wish_without_an_id_one_of_its_own) {
  start();
  const Neighbour life_cycle_manager(bus, topics.service_requests, topics.service_replies, accept);
  std::set<std::string> ids;
  for (int i = 0; i < 2; ++i) {
    const auto answer =
        server.ask("POST", "/api/v1/services/requests", R"({"service_id":"x","action":"stop"})");
    EXPECT_EQ(answer.status, 200) << answer.body;
    ids.insert(json::parse(answer.body)["request_id"]);
  }
  EXPECT_EQ(ids.size(), 2U);
}

TEST_F(GatewayTest, passes_the_owners_refusal_on) {
  start();
  const Neighbour node_manager(
      bus, topics.machine_requests, topics.machine_replies, [](const std::string& request) {
        const auto wish = messages::parse_machine_request(request, std::nullopt, {});
        messages::MachineReply reply;
        reply.request_id = wish->request.request_id;
        reply.machine = wish->request.machine;
        reply.error = denied("machine.url", "tcp without TLS is not allowed there", "use TLS");
        return messages::to_json(reply);
      });
  const auto answer = server.ask("POST", "/api/v1/machines/requests",
                                 R"({"action":"add","machine":"edge-1","docker":"tcp://10.0.0.9:2375"})");
  EXPECT_EQ(answer.status, 403);
  EXPECT_EQ(answer.content_type, "application/problem+json");
  EXPECT_EQ(json::parse(answer.body)["code"], "machine.url");
  EXPECT_EQ(json::parse(answer.body)["hint"], "use TLS");
}

TEST_F(GatewayTest, refuses_a_bad_wish_without_sending_it) {
  start();
  for (const char* body :
       {"", "{", "[]", R"({"service_id":"../x"})", R"({"service_id":"x","action":"explode"})",
        R"({"request_id":"a","request_id":"b","service_id":"x"})",
        R"({"request_id":{"$ne":null},"service_id":"x"})"}) {
    const auto answer = server.ask("POST", "/api/v1/services/requests", body);
    EXPECT_EQ(answer.status, 400) << body << answer.body;
    EXPECT_FALSE(json::parse(answer.body)["code"].get<std::string>().empty());
  }
  EXPECT_TRUE(bus.records(topics.service_requests).empty());
  EXPECT_EQ(server.ask("POST", "/api/v1/services/requests", std::string(300'000, ' ')).status, 413);
}

TEST_F(GatewayTest, says_so_when_nobody_answers_or_kafka_is_away) {
  settings.reply_deadline = milliseconds{50};
  start();
  const auto unanswered = server.ask("POST", "/api/v1/services/requests", kDeploy);
  EXPECT_EQ(unanswered.status, 504);
  EXPECT_EQ(json::parse(unanswered.body)["code"], "request.unanswered");
  bus.set_down(true);
  const auto unreachable = server.ask("POST", "/api/v1/services/requests", kDeploy);
  EXPECT_EQ(unreachable.status, 503);
  EXPECT_EQ(json::parse(unreachable.body)["code"], "kafka.unreachable");
}

TEST_F(GatewayTest, stores_sources_and_refuses_paths_that_lead_elsewhere) {
  settings.upload_limit = 1000;
  start();
  const auto stored = server.ask("PUT", "/api/v1/sources/boiler-monitor/1.4.0", "tar");
  EXPECT_EQ(stored.status, 200) << stored.body;
  EXPECT_EQ(json::parse(stored.body)["digest"], sha256_hex("tar"));
  EXPECT_EQ(repository.sources().find("boiler-monitor/1.4.0")->size(), 1U);
  for (const char* path : {"..%2f..%2fetc", "a//b", ".", "a/..", "a%20b", "a/b/c/d/e/f/g/h/i", ""})
    EXPECT_EQ(server.ask("PUT", std::string("/api/v1/sources/") + path, "tar").status, 400) << path;
  EXPECT_EQ(server.ask("PUT", "/api/v1/sources/x/1", std::string(1001, 'x')).status, 413);
  EXPECT_EQ(server.ask("PUT", "/api/v1/sources/x/1", "").status, 400);
}

TEST_F(GatewayTest, shows_a_service_with_the_dockerfile_of_the_release_that_serves) {
  ASSERT_TRUE(repository.services().put(boiler()));
  ASSERT_TRUE(repository.releases().put(release(6)));
  ASSERT_TRUE(repository.releases().put(release(7)));
  start();
  const json shown =
      wait_for("/api/v1/services/boiler-monitor", [](const json& one) { return one.contains("dockerfile"); });
  EXPECT_EQ(shown["release"], 7);
  EXPECT_EQ(shown["path"], "boiler-monitor/1.4.7");
  EXPECT_EQ(shown["dockerfile"], "FROM slipway/python\n# 7\n");
  EXPECT_EQ(shown["releases"].size(), 2U);
  const json missing = get("/api/v1/services/boiler-monitr", 404);
  EXPECT_EQ(missing["code"], "service.not_found");
  EXPECT_THAT(missing["hint"].get<std::string>(), HasSubstr("boiler-monitor"));
  get("/api/v1/deployments/nope", 404);
  get("/api/v1/machines/nope", 404);
  get("/api/v1/sensors/nope", 404);
}

TEST_F(GatewayTest, names_the_repository_when_it_is_away_and_status_still_answers) {
  ASSERT_TRUE(repository.services().put(boiler()));
  start();
  wait_for("/api/v1/status", [](const json& status) { return status["services"].size() == 1; });
  repository.set_down(true);
  wait_for("/readyz", [](const json& ready) { return ready["ready"] == false; });
  EXPECT_EQ(get("/api/v1/services", 503)["code"], "repository.unreachable");
  EXPECT_EQ(get("/api/v1/deployments", 503)["code"], "repository.unreachable");
  const json status = get("/api/v1/status");
  EXPECT_EQ(status["services"].size(), 1U) << "what was known last";
  EXPECT_EQ(status["ok"], false);
}

TEST_F(GatewayTest, streams_a_deployment_from_its_beginning_each_status_once) {
  ports::Deployment deployment;
  deployment.request_id = "r-1";
  deployment.service_id = "boiler-monitor";
  ASSERT_TRUE(repository.deployments().insert(deployment));
  ASSERT_TRUE(repository.deployments().append("r-1", 0, stage(1)));
  start();
  auto answer = server.ask("GET", "/api/v1/stream?topics=deployment:r-1", {},
                           {{"host", "localhost"}, {"accept", "application/x-ndjson"}});
  ASSERT_EQ(answer.status, 200);
  EXPECT_EQ(answer.content_type, "application/x-ndjson");
  std::string lines = answer.stream->take();
  EXPECT_THAT(lines, HasSubstr(R"("seq":1)"));
  // Kafka tells of the third before the second, and of the first once more; the document fills the gap.
  for (const std::int64_t seq : {1, 3}) {
    ports::Outgoing said;
    said.topic = topics.deployment_status;
    said.value = messages::to_json(stage(seq, seq == 3));
    ASSERT_TRUE(bus.publish(said));
  }
  ASSERT_TRUE(repository.deployments().append("r-1", 0, stage(2)));
  const auto deadline = std::chrono::steady_clock::now() + 10s;
  while (lines.find(R"("final":true)") == std::string::npos && std::chrono::steady_clock::now() < deadline)
    lines += answer.stream->take();
  std::vector<int> seqs;
  for (std::size_t at = lines.find("\"seq\":"); at != std::string::npos; at = lines.find("\"seq\":", at + 1))
    seqs.push_back(lines[at + 6] - '0');
  EXPECT_EQ(seqs, (std::vector<int>{1, 2, 3})) << lines;
}

TEST_F(GatewayTest, streams_what_crosses_kafka_by_the_missions_names) {
  start();
  auto answer = server.ask("GET", "/api/v1/stream?topics=messages", {}, {{"host", "[::1]:7420"}});
  ASSERT_EQ(answer.status, 200) << answer.body;
  ports::Outgoing said;
  said.topic = topics.deployment_requests;
  said.key = "boiler-monitor";
  said.source = "/life_cycle_manager";
  said.value = kDeploy;
  ASSERT_TRUE(bus.publish(said));
  std::string text;
  const auto deadline = std::chrono::steady_clock::now() + 10s;
  while (text.find("event: message") == std::string::npos && std::chrono::steady_clock::now() < deadline)
    text += answer.stream->take();
  EXPECT_THAT(text, HasSubstr(R"("from":"Service Life Cycle Manager")"));
  EXPECT_THAT(text, HasSubstr(R"("to":"Deployment Manager")"));
  EXPECT_THAT(text, HasSubstr("deploy boiler-monitor from boiler-monitor/1.4.0 on edge-1"));
}

TEST_F(GatewayTest, refuses_streams_of_nothing) {
  start();
  for (const char* topics_parameter :
       {"", "?topics=", "?topics=all", "?topics=deployment:../x", "?topics=messages:x"})
    EXPECT_EQ(server.ask("GET", std::string("/api/v1/stream") + topics_parameter).status, 400)
        << topics_parameter;
}

TEST_F(GatewayTest, reads_logs_from_the_engine_and_of_a_failed_one_from_its_package) {
  engines.engine->add_image({.id = "i",
                             .tags = {"demo:1"},
                             .labels = {},
                             .user = {},
                             .exposed = {},
                             .entrypoint = {},
                             .command = {}});
  engines.engine->script([](const ports::ContainerSpec&) {
    fakes::ContainerScript script;
    script.logs = {"one", "two", "three"};
    return script;
  });
  ports::ContainerSpec spec;
  spec.name = "boiler-monitor-7-1";
  spec.image = "demo:1";
  const auto id = engines.engine->create(spec);
  ASSERT_TRUE(id);
  ASSERT_TRUE(engines.engine->start(*id));
  ports::MachineDocument machine;
  machine.machine.name = "edge-1";
  ASSERT_TRUE(repository.machines().put(machine));
  ASSERT_TRUE(repository.services().put(boiler()));
  ports::Instance instance;
  instance.service_id = "boiler-monitor";
  instance.release = 7;
  instance.machine = "edge-1";
  instance.state = "running";
  instance.container_id = *id;
  ASSERT_TRUE(repository.instances().put(instance));
  start();
  EXPECT_EQ(get("/api/v1/services/boiler-monitor/logs?tail=2")["lines"], (json{"two", "three"}));
  get("/api/v1/services/boiler-monitor/logs?tail=-1", 400);
  get("/api/v1/services/nobody/logs", 404);

  auto following = server.ask("GET", "/api/v1/services/boiler-monitor/logs?follow=true");
  ASSERT_TRUE(following.stream);
  std::string lines;
  const auto deadline = std::chrono::steady_clock::now() + 10s;
  while (lines.find("three") == std::string::npos && std::chrono::steady_clock::now() < deadline)
    lines += following.stream->take();
  EXPECT_THAT(lines, HasSubstr(R"({"data":{"container":"","text":"one"},"event":"log"})"));
  following.stream->hang_up();

  ASSERT_TRUE(repository.instances().remove(instance.id()));
  EXPECT_EQ(get("/api/v1/services/boiler-monitor/logs", 404)["code"], "logs.none");
  ports::Failure failure;
  failure.request_id = "r-9";
  failure.service_id = "boiler-monitor";
  failure.last_logs = {"no pressure"};
  ASSERT_TRUE(repository.failures().put(failure));
  EXPECT_EQ(get("/api/v1/services/boiler-monitor/logs")["lines"], json{"no pressure"});
}

TEST_F(GatewayTest, seals_secrets_and_never_gives_them_back) {
  settings.secret_box = *SecretBox::from_key(std::string(32, 'k'));
  start();
  EXPECT_EQ(get("/api/v1/secrets"), json::array());
  const auto set = server.ask("PUT", "/api/v1/secrets/MQTT_PASSWORD", "correct horse");
  ASSERT_EQ(set.status, 200) << set.body;
  const std::string version = json::parse(set.body)["version"];
  const auto stored = *repository.secrets().find("MQTT_PASSWORD");
  ASSERT_TRUE(stored);
  EXPECT_FALSE(stored->sealed.contains("correct"));
  EXPECT_EQ(settings.secret_box->open(stored->sealed, stored->place()), "correct horse");

  const auto again = server.ask("PUT", "/api/v1/secrets/MQTT_PASSWORD", "correct horse");
  EXPECT_EQ(json::parse(again.body)["version"], version) << "the same value is no new version";
  EXPECT_EQ(json::parse(again.body)["unchanged"], true);
  const auto other = server.ask("PUT", "/api/v1/secrets/MQTT_PASSWORD", "battery staple");
  EXPECT_NE(json::parse(other.body)["version"], version);

  const json listed = get("/api/v1/secrets");
  ASSERT_EQ(listed.size(), 1U);
  EXPECT_EQ(listed[0]["name"], "MQTT_PASSWORD");
  EXPECT_EQ(listed[0]["readable"], true);
  for (const auto& said : {set.body, again.body, other.body, listed.dump()})
    EXPECT_FALSE(said.contains("correct") || said.contains("battery")) << said;

  EXPECT_EQ(server.ask("DELETE", "/api/v1/secrets/MQTT_PASSWORD").status, 200);
  EXPECT_EQ(server.ask("DELETE", "/api/v1/secrets/MQTT_PASSWORD").status, 404);
  const auto back = server.ask("PUT", "/api/v1/secrets/MQTT_PASSWORD", "correct horse");
  EXPECT_NE(json::parse(back.body)["version"], version) << "a version never comes again";
}

TEST_F(GatewayTest, refuses_secrets_without_a_key_a_value_or_a_name) {
  start();
  const auto no_key = server.ask("PUT", "/api/v1/secrets/A", "x");
  EXPECT_EQ(no_key.status, 403);
  EXPECT_EQ(json::parse(no_key.body)["code"], "secret.no_key");
  settings.secret_box = *SecretBox::from_key(std::string(32, 'k'));
  gateway.reset();
  start();
  EXPECT_EQ(json::parse(server.ask("PUT", "/api/v1/secrets/A", "").body)["code"], "secret.empty");
  for (const char* name : {"1A", "a-b", "..", "a.b"})
    EXPECT_EQ(json::parse(server.ask("PUT", std::string("/api/v1/secrets/") + name, "x").body)["code"],
              "secret.name")
        << name;
  EXPECT_EQ(repository.writes(), 0);
}

TEST_F(GatewayTest, keeps_strangers_out) {
  start();
  const auto status_with = [&](const std::map<std::string, std::string>& headers) {
    return server.ask("GET", "/healthz", {}, headers).status;
  };
  EXPECT_EQ(status_with({}), 403);
  EXPECT_EQ(status_with({{"host", "evil.example"}}), 403);
  EXPECT_EQ(status_with({{"host", "127.0.0.1.evil.example:7420"}}), 403);
  EXPECT_EQ(status_with({{"host", "localhost:7420"}, {"origin", "http://evil.example"}}), 403);
  EXPECT_EQ(status_with({{"host", "localhost:7420"}, {"origin", "http://localhost:8080"}}), 403);
  EXPECT_EQ(status_with({{"host", "localhost:7420"}, {"origin", "null"}}), 403);
  EXPECT_EQ(status_with({{"host", "localhost:7420"}, {"origin", "http://localhost:7420"}}), 200);
}

TEST_F(GatewayTest, answers_404_and_405_H02_H08_H09) {
  start();
  get("/static/..%2f..%2fetc/passwd", 404);
  get("//etc/passwd", 404);
  get("/api/v1/nothing", 404);
  EXPECT_EQ(server.ask("TRACE", "/healthz").status, 405);
  EXPECT_EQ(server.ask("DELETE", "/api/v1/services").status, 405);
  EXPECT_EQ(server.ask("GET", "/api/v1/services/requests").status, 404) << "no service of that name";
}

TEST_F(GatewayTest, serves_the_schema_and_an_openapi_file_with_exactly_its_routes) {
  start();
  EXPECT_TRUE(get("/schemas/service.v1.json").is_object());
  const json openapi = get("/api/openapi.json");
  EXPECT_EQ(openapi["openapi"], "3.1.0");
  std::set<std::string> described;
  for (const auto& [path, methods] : openapi["paths"].items())
    for (const auto& [method, what] : methods.items())
      if (method != "parameters")
        described.insert((method == "get"      ? "GET "
                          : method == "put"    ? "PUT "
                          : method == "delete" ? "DELETE "
                                               : "POST ") +
                         path);
  std::set<std::string> served;
  for (std::string route : gateway->routes()) {
    if (const auto rest = route.find("...}"); rest != std::string::npos) route.erase(rest, 3);
    served.insert(route);
  }
  EXPECT_EQ(described, served);
}

}  // namespace
}  // namespace slipway::gateway
