#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "messages/deployment_request.hpp"
#include "messages/deployment_status.hpp"
#include "messages/machine_sample.hpp"
#include "messages/sensor.hpp"
#include "messages/strict_json.hpp"

namespace slipway::messages {
namespace {

using testing::HasSubstr;

const RecordPlace kPlace{"cluster", "topic", 3, 17, 1'795'348'000'000};

TEST(StrictJson, says_where_it_is_wrong) {
  const auto cut = parse_strict_json("{\n  \"a\": 1,\n  \"b\": }");
  ASSERT_FALSE(cut);
  EXPECT_EQ(cut.error().where, "3:8");
  const auto twice = parse_strict_json("{\n \"a\": 1,\n \"a\": 2}");
  ASSERT_FALSE(twice);
  EXPECT_EQ(twice.error().code, "json.duplicate_key");
  EXPECT_EQ(twice.error().where, "3:4");
}

TEST(StrictJson, survives_what_kills_others) {
  EXPECT_EQ(parse_strict_json(std::string(200'000, '[')).error().code, "json.too_deep");
  EXPECT_EQ(parse_strict_json(std::string(kMaxMessageBytes + 1, ' ')).error().code, "json.too_large");
  std::string many = "[0";
  for (int i = 0; i < 20'000; ++i) many += ",0";
  EXPECT_EQ(parse_strict_json(many + "]").error().code, "json.too_large");
  EXPECT_EQ(parse_strict_json("{\"a\": \"\xff\"}").error().code, "json.utf8");
  EXPECT_TRUE(parse_strict_json(std::string(30, '[') + std::string(30, ']')));
  EXPECT_TRUE(parse_strict_json(R"({"a": {"a": 1}, "b": [{"a": 1}, {"a": 2}]})"));
}

TEST(StrictJson, writes_invalid_utf8_as_a_replacement) {
  EXPECT_EQ(dump("a\xff"), "\"a\xef\xbf\xbd\"");
}

TEST(DeploymentRequest, gets_the_same_id_for_the_same_record) {
  const std::string text = R"({"service_id": "hello", "path": "hello"})";
  const auto first = parse_deployment_request(text, std::nullopt, kPlace);
  const auto again = parse_deployment_request(text, std::nullopt, kPlace);
  ASSERT_TRUE(first && again);
  EXPECT_EQ(first->request.request_id, again->request.request_id);
  EXPECT_TRUE(is_request_id(first->request.request_id));
  RecordPlace next = kPlace;
  ++next.offset;
  EXPECT_NE(parse_deployment_request(text, std::nullopt, next)->request.request_id,
            first->request.request_id);
}

TEST(DeploymentRequest, names_every_problem_at_once) {
  const auto parsed = parse_deployment_request(
      R"({"request_id": "r", "action": "stpo", "release": "x", "machine": 7})", std::nullopt, kPlace);
  ASSERT_TRUE(parsed);
  ASSERT_TRUE(parsed->refusal);
  EXPECT_EQ(parsed->request.request_id, "r");
  for (const char* pointer : {"/action", "/service_id", "/release", "/machine"})
    EXPECT_THAT(parsed->refusal->message, HasSubstr(pointer));
  EXPECT_THAT(parsed->refusal->hint, HasSubstr("stop"));
}

TEST(DeploymentRequest, refuses_a_key_that_contradicts_it) {
  const std::string text = R"({"service_id": "hello", "path": "hello"})";
  EXPECT_FALSE(parse_deployment_request(text, "hello", kPlace)->refusal);
  EXPECT_FALSE(parse_deployment_request(text, "", kPlace)->refusal);
  EXPECT_EQ(parse_deployment_request(text, "other", kPlace)->refusal->code, "request.key");
}

TEST(DeploymentRequest, refuses_a_deadline_too_far_ahead) {
  const std::string text = R"({"service_id": "hello", "path": "hello", "deadline": "9999-01-01T00:00:00Z"})";
  EXPECT_THAT(parse_deployment_request(text, std::nullopt, kPlace)->refusal->message, HasSubstr("7 days"));
}

TEST(DeploymentRequest, is_canonical) {
  const auto a = parse_deployment_request(
      R"({"request_id": "r", "service_id": "hello", "path": "hello", "machine": "edge-1", "x": 1})",
      std::nullopt, kPlace);
  const auto b = parse_deployment_request(
      R"({"machine": {"name": "edge-1"}, "path":"hello", "action": "deploy", "service_id":"hello", "request_id":"r"})",
      std::nullopt, kPlace);
  EXPECT_EQ(to_json(a->request), to_json(b->request));
}

TEST(Errors, keep_all_their_fields) {
  Error error = conflict("machine.conflict", "it differs", "look");
  error.where = "a:1";
  error.last_logs = {"x", "y\xff"};
  const Error again = error_from_value(to_value(error));
  EXPECT_EQ(again.kind, ErrorKind::kConflict);
  EXPECT_EQ(again.code, error.code);
  EXPECT_EQ(again.hint, error.hint);
  EXPECT_EQ(again.where, error.where);
  EXPECT_EQ(again.last_logs, error.last_logs);
}

MachineSample some_sample() {
  MachineSample sample;
  sample.machine = "edge-1";
  sample.boot_id = "b1";
  sample.seq = 4711;
  sample.t = 1'795'348'901'134;
  return sample;
}

TEST(MachineSample, leaves_out_bad_fields_and_counts_them) {
  int bad = 0;
  const auto sample = parse_machine_sample(
      R"({"machine":"e","boot_id":"b","seq":1,"t":1795348901134,"cpu":{"used":900,"user":"x","system":1e308,
      "iowait":-1,"cores":2},"load":[1,2],"mem":5,"containers":[{"id":"../x"},{"id":"9f3c00aa11bb","cpu":3}]})",
      &bad);
  ASSERT_TRUE(sample) << to_string(sample.error());
  EXPECT_EQ(bad, 7);
  EXPECT_EQ(sample->cpu.used, 0);
  EXPECT_EQ(sample->cpu.cores, 2);
  ASSERT_EQ(sample->containers.size(), 1U);
  EXPECT_EQ(sample->containers[0].cpu, 3);
}

TEST(MachineSample, stays_json_whatever_is_in_it) {
  MachineSample sample = some_sample();
  sample.cpu.used = std::nan("");
  sample.uptime_s = std::numeric_limits<double>::infinity();
  sample.fs.push_back({"/a\"b\\c\n\x1b", 1, 1, 0});
  std::string out;
  append_json(sample, out);
  int bad = 0;
  const auto again = parse_machine_sample(out, &bad);
  ASSERT_TRUE(again) << out;
  EXPECT_EQ(again->fs[0].mount, sample.fs[0].mount);
  EXPECT_EQ(bad, 2);
}

TEST(MachineSample, is_about_600_bytes) {
  MachineSample sample = some_sample();
  sample.cpu = {12.512345, 8.1, 3.9, 0.4, 0, 4};
  sample.mem = {4'012'345'678, 2'900'000'000, 800'000'000, 0};
  sample.fs.push_back({"/", 1, 1, 1});
  sample.net.push_back({"eth0", 1, 1});
  sample.containers.push_back({std::string(64, 'a'), 1.2345, 61'000'000, 268'435'456, 3, 0, 1, 1});
  std::string out;
  append_json(sample, out);
  EXPECT_LT(out.size(), 700U) << out;
  EXPECT_THAT(out, HasSubstr("\"used\":12.51"));
}

TEST(Rates, are_per_second) {
  EXPECT_DOUBLE_EQ(*per_second("20/s"), 20);
  EXPECT_DOUBLE_EQ(*per_second("12/min"), 0.2);
  EXPECT_DOUBLE_EQ(*per_second("1.5/h"), 1.5 / 3600);
  for (const char* wrong : {"", "12", "12/", "/s", "0/s", "-1/s", "1e9/s", "12/week", "nan/s"})
    EXPECT_FALSE(per_second(wrong)) << wrong;
}

}  // namespace
}  // namespace slipway::messages
