#include "meta_file/schema_check.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "meta_file/not_yet.hpp"
#include "meta_file/read_test.hpp"

namespace slipway::meta_file {
namespace {

using Json = nlohmann::json;

// --- every property of the schema is acted on or refused ---

// A file that uses the property, as lines of YAML, and what it is compared with (the same without it).
struct Sample {
  std::string with;
  std::string without = kHead;
};

const std::string kImageHead = "name: hello\nimage: hello:1\n";

std::map<std::string, Sample> samples() {
  const std::string head = kHead;
  const auto add = [&](const std::string& lines) { return Sample{head + lines + "\n"}; };
  const auto health = [&](const std::string& more) {
    return Sample{head + "healthcheck: {http: /, port: 80" + more + "}\n",
                  head + "healthcheck: {http: /, port: 80}\n"};
  };
  const auto sensor = [&](const std::string& more) {
    return Sample{head + "sensors: [{name: a, type: b, " + more + "}]\n",
                  head + "sensors: [{name: a, type: b}]\n"};
  };
  const auto located = [&](const std::string& more) {
    return Sample{head + "sensors: [{name: a, type: b, location: {" + more + "}}]\n",
                  head + "sensors: [{name: a, type: b, location: {}}]\n"};
  };
  const auto field = [&](const std::string& more) {
    return Sample{head + "sensors: [{name: a, type: b, fields: {t: {" + more + "}}}]\n",
                  head + "sensors: [{name: a, type: b, fields: {t: {}}}]\n"};
  };
  const auto port = [&](const std::string& more) {
    return Sample{head + "ports: [{target: 80, " + more + "}]\n", head + "ports: [{target: 80}]\n"};
  };
  return {
      {"name", {"name: other\nruntime: python@3.11\ncommand: python main.py\n"}},
      {"version", add("version: 1.0")},
      {"description", add("description: x")},
      {"owner", add("owner: x")},
      {"labels", add("labels: {a: b}")},
      {"runtime", {"name: hello\nruntime: python\ncommand: python main.py\n"}},
      {"image", {"name: hello\nimage: a\ncommand: python main.py\n"}},
      {"build", add("build: {packages: [curl]}")},
      {"build.dockerfile", {"name: hello\nbuild: {dockerfile: D}\ncommand: python main.py\n"}},
      {"build.args", add("build: {args: {A: b}}")},
      {"build.packages", add("build: {packages: [curl]}")},
      {"build.steps", add("build: {steps: [id]}")},
      {"build.artifacts",
       {"name: hello\nruntime: cpp\ncommand: x\nbuild: {artifacts: [a]}\n",
        "name: hello\nruntime: cpp\ncommand: x\n"}},
      {"command", {kImageHead + "command: x\n", kImageHead}},
      {"entrypoint", add("entrypoint: x")},
      {"user", add("user: 1000")},
      {"working_dir", add("working_dir: /app/x")},
      {"env", add("env: {A: b}")},
      {"secrets", add("secrets: [A]")},
      {"secrets[].name", add("secrets: [{name: A}]")},
      {"secrets[].target", {head + "secrets: [{name: A, target: b}]\n", head + "secrets: [{name: A}]\n"}},
      {"ports", add("ports: [80]")},
      {"ports[].name", port("name: x")},
      {"ports[].target", {head + "ports: [{target: 81, published: 80}]\n", head + "ports: [{target: 80}]\n"}},
      {"ports[].published", port("published: 81")},
      {"ports[].host_ip", port("host_ip: 0.0.0.0")},
      {"ports[].protocol", port("protocol: udp")},
      {"volumes", add("volumes: [\"a:/x\"]")},
      {"devices", add("devices: [/dev/x]")},
      {"network", add("network: none")},
      {"resources", add("resources: {pids: 5}")},
      {"resources.cpus", add("resources: {cpus: 2}")},
      {"resources.memory", add("resources: {memory: 1Gi}")},
      {"resources.pids", add("resources: {pids: 5}")},
      {"healthcheck", add("healthcheck: {tcp: 80}")},
      {"healthcheck.http",
       {head + "healthcheck: {http: /x, port: 80}\n", head + "healthcheck: {http: /, port: 80}\n"}},
      {"healthcheck.tcp", {head + "healthcheck: {tcp: 81}\n", head + "healthcheck: {tcp: 80}\n"}},
      {"healthcheck.test", add("healthcheck: {test: x}")},
      {"healthcheck.port",
       {head + "healthcheck: {http: /, port: 81}\n", head + "healthcheck: {http: /, port: 80}\n"}},
      {"healthcheck.interval", health(", interval: 1s")},
      {"healthcheck.timeout", health(", timeout: 1s")},
      {"healthcheck.retries", health(", retries: 1")},
      {"healthcheck.start_period", health(", start_period: 1s")},
      {"restart", add("restart: never")},
      {"stop_signal", add("stop_signal: SIGINT")},
      {"stop_grace_period", add("stop_grace_period: 1s")},
      {"replicas", add("replicas: 2")},
      {"placement", add("placement: {machines: [a]}")},
      {"placement.machines", add("placement: {machines: [a]}")},
      {"placement.labels", add("placement: {labels: {a: b}}")},
      {"depends_on", add("depends_on: [a]")},
      {"depends_on.*.condition", add("depends_on: {a: {condition: healthy}}")},
      {"depends_on.*.required", add("depends_on: {a: {required: true}}")},
      {"update", add("update: {deadline: 1m}")},
      {"update.order", add("update: {order: start-first}")},
      {"update.parallelism", add("update: {parallelism: 1}")},
      {"update.healthy_for", add("update: {healthy_for: 1s}")},
      {"update.deadline", add("update: {deadline: 1m}")},
      {"update.rollback", add("update: {rollback: false}")},
      {"schedule", add("schedule: \"@daily\"")},
      {"schedule.cron", add("schedule: {cron: \"@daily\"}")},
      {"schedule.timezone", add("schedule: {cron: \"@daily\", timezone: UTC}")},
      {"schedule.overlap", add("schedule: {cron: \"@daily\", overlap: skip}")},
      {"schedule.timeout", add("schedule: {cron: \"@daily\", timeout: 1m}")},
      {"sensors", add("sensors: [{name: a, type: b}]")},
      {"sensors[].name",
       {head + "sensors: [{name: c, type: b}]\n", head + "sensors: [{name: a, type: b}]\n"}},
      {"sensors[].type",
       {head + "sensors: [{name: a, type: c}]\n", head + "sensors: [{name: a, type: b}]\n"}},
      {"sensors[].location", sensor("location: x")},
      {"sensors[].location.site", located("site: x")},
      {"sensors[].location.room", located("room: x")},
      {"sensors[].location.lat", located("lat: 1.5")},
      {"sensors[].location.lon", located("lon: 1.5")},
      {"sensors[].location.alt", located("alt: 1.5")},
      {"sensors[].rate", sensor("rate: 1/s")},
      {"sensors[].fields", sensor("fields: {t: Cel}")},
      {"sensors[].fields.*.unit", field("unit: Cel")},
      {"sensors[].fields.*.type", field("type: boolean")},
      {"sensors[].fields.*.min", field("min: 1")},
      {"sensors[].fields.*.max", field("max: 1")},
      {"sensors[].fields.*.description", field("description: x")},
      {"sensors[].required", sensor("required: true")},
      {"read_only", add("read_only: true")},
      {"topics", add("topics: [a]")},
  };
}

void collect_properties(const Json& schema, const Json& root, const std::string& path,
                        std::set<std::string>& found) {
  if (schema.contains("$ref"))
    return collect_properties(root.at(Json::json_pointer(schema.at("$ref").get<std::string>().substr(1))),
                              root, path, found);
  if (schema.contains("properties"))
    for (const auto& [name, part] : schema.at("properties").items()) {
      const std::string inner = path.empty() ? name : path + "." + name;
      found.insert(inner);
      collect_properties(part, root, inner, found);
    }
  if (schema.contains("items")) collect_properties(schema.at("items"), root, path + "[]", found);
  if (schema.contains("additionalProperties") && schema.at("additionalProperties").is_object())
    collect_properties(schema.at("additionalProperties"), root, path + ".*", found);
  if (schema.contains("oneOf"))
    for (const auto& part : schema.at("oneOf")) collect_properties(part, root, path, found);
}

TEST(Schema, every_property_is_acted_on_or_refused_as_not_yet) {
  const Json schema = Json::parse(schema_text());
  std::set<std::string> properties;
  collect_properties(schema, schema, "", properties);
  EXPECT_GT(properties.size(), 60U);
  const auto table = samples();
  for (const auto& [path, sample] : table)
    EXPECT_TRUE(properties.contains(path)) << "no such property: " << path;
  for (const auto& path : properties) {
    ASSERT_TRUE(table.contains(path)) << "a new property of the schema needs a sample here: " << path;
    const Sample& sample = table.at(path);
    const Reading with = read_service("service.yaml", sample.with);
    if (with.ok()) {
      EXPECT_NE(to_json(*with.spec), to_json(must_read(sample.without))) << path << " changes nothing";
      continue;
    }
    for (const auto& found : with.errors)
      EXPECT_EQ(found.error.code, "meta.not_yet") << path << ": " << render(found);
  }
}

TEST(Schema, each_row_of_the_not_yet_table_is_a_property) {
  const Json schema = Json::parse(schema_text());
  std::set<std::string> properties;
  collect_properties(schema, schema, "", properties);
  for (const auto& row : not_yet_table()) EXPECT_TRUE(properties.contains(std::string(row.path))) << row.path;
}

void collect_keywords(const Json& schema, std::set<std::string>& found) {
  for (const auto& [keyword, value] : schema.items()) {
    found.insert(keyword);
    if (keyword == "properties" || keyword == "patternProperties" || keyword == "definitions") {
      for (const auto& [name, part] : value.items()) collect_keywords(part, found);
    } else if (keyword == "oneOf" || keyword == "allOf") {
      for (const auto& part : value) collect_keywords(part, found);
    } else if (value.is_object() && keyword != "default") {
      collect_keywords(value, found);
    }
  }
}

TEST(Schema, uses_only_keywords_that_can_be_explained) {
  std::set<std::string> used;
  collect_keywords(Json::parse(schema_text()), used);
  for (const auto& keyword : used)
    EXPECT_NE(std::ranges::find(known_schema_keywords(), keyword), known_schema_keywords().end()) << keyword;
}

}  // namespace
}  // namespace slipway::meta_file
