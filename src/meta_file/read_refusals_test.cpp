#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "meta_file/document.hpp"
#include "meta_file/read.hpp"
#include "meta_file/read_test.hpp"
#include "meta_file/schema_check.hpp"

namespace slipway::meta_file {
namespace {

constexpr int kHeadLines = 3;

// A row of FAULTS, table M: lines after kHead, and what must be said of the line at `line` (of these lines).
struct Row {
  const char* name;
  std::string lines;
  const char* code;
  int line = 1;
  const char* says = "";
};

const std::vector<Row>& rows() {
  static const std::vector<Row> kRows{
      {"M10_unknown_key", "prots: [8080]", "meta.unknown_key", 1, "did you mean 'ports'?"},
      {"M10_unknown_inner_key", "resources:\n  memroy: 1Gi", "meta.unknown_key", 2, "did you mean 'memory'?"},
      {"M22_name_reserved_label", "labels: {slipway.instance: x}", "meta.label"},
      {"M25_ssh_port", "ports: [22]", "meta.port_forbidden"},
      {"M25_engine_port", "ports:\n  - 8080\n  - \"2375:80\"", "meta.port_forbidden", 3},
      {"M25_engine_port_in_range", "ports: [\"2370-2380:2370-2380\"]", "meta.port_forbidden"},
      {"M26_same_port_twice", "ports: [8080, \"8080:9090\"]", "meta.port_conflict"},
      {"M26_same_port_any_address", "ports: [\"0.0.0.0:80:80\", \"127.0.0.1:80:81\"]", "meta.port_conflict"},
      {"ports_no_such_port", "ports: [\"70000:80\"]", "meta.port"},
      {"ports_no_such_address", "ports: [\"1.2.3.400:80:80\"]", "meta.port"},
      {"ports_ranges_differ", "ports: [\"1000-1001:80\"]", "meta.port"},
      {"ports_range_too_long", "ports: [\"1000-2000:1000-2000\"]", "meta.port"},
      {"ports_text", "ports: [http]", "meta.port"},
      {"ports_in_map", "ports: [{published: 80}]", "meta.missing_field", 1, "target"},
      {"ports_zero", "ports: [0]", "meta.range"},
      {"M28_cpus_zero", "resources: {cpus: 0}", "meta.range"},
      {"M28_cpus_negative", "resources: {cpus: -1}", "meta.range"},
      {"M28_cpus_nan", "resources: {cpus: .nan}", "meta.range"},
      {"M28_cpus_infinite", "resources: {cpus: .inf}", "meta.range"},
      {"M28_cpus_many", "resources: {cpus: 1e9}", "meta.range"},
      {"M28_cpus_too_small", "resources: {cpus: 1e-9}", "meta.range"},
      {"M28_cpus_overflow", "resources: {cpus: 1e999}", "meta.range"},
      {"M28_pids_overflow", "resources: {pids: 99999999999999999999}", "meta.range"},
      {"M28_pids_octal", "resources: {pids: 0100}", "meta.type", 1, "leading zeros"},
      {"memory_without_unit", "resources: {memory: 256}", "meta.range", 1, "256Mi"},
      {"memory_wrong_unit", "resources: {memory: 256X}", "meta.range"},
      {"memory_too_small", "resources: {memory: 1Ki}", "meta.range"},
      {"M29_env_list", "env:\n  - A=B", "meta.type", 2},
      {"M29_env_nested", "env: {A: {B: c}}", "meta.type"},
      {"M29_env_null", "env: {A: }", "meta.type"},
      {"M31_env_escape", "env: {A: \"\\e[1m\"}", "meta.control_char"},
      {"M31_env_nul", "env: {A: \"\\0\"}", "meta.control_char"},
      {"M31_env_too_long", "env: {A: " + repeated("x", 33'000) + "}", "meta.too_long"},
      {"env_name", "env: {A-B: c}", "meta.env_name"},
      {"env_reserved", "env: {SLIPWAY_SERVICE: x}", "meta.env_name"},
      {"M35_first_word_empty", "entrypoint: [\"\"]", "meta.range"},
      {"M35_no_words", "entrypoint: []", "meta.range"},
      {"M35_only_spaces", "entrypoint: \"  \"", "meta.range"},
      {"M34_open_quote", "entrypoint: sh -c 'id", "meta.type"},
      {"M37_proc_self_fd", "working_dir: /proc/self/fd/8", "meta.working_dir"},
      {"M37_root", "working_dir: /", "meta.working_dir"},
      {"M37_proc", "working_dir: /proc", "meta.working_dir"},
      {"M37_sys", "working_dir: /sys", "meta.working_dir"},
      {"M37_dev", "working_dir: /dev", "meta.working_dir"},
      {"M37_relative", "working_dir: relative", "meta.working_dir"},
      {"M37_up", "working_dir: /app/../etc", "meta.working_dir"},
      {"M40_privileged", "privileged: true", "meta.unknown_key"},
      {"M40_cap_add", "cap_add: [SYS_ADMIN]", "meta.unknown_key"},
      {"M40_pid_host", "pid: host", "meta.unknown_key"},
      {"M40_host_root", "volumes: [\"/:/host\"]", "meta.not_yet", 1, "machine.allow"},
      {"M40_engine_socket", "volumes: [\"/var/run/docker.sock:/x\"]", "meta.not_yet", 1, "machine.allow"},
      {"M40_home", "volumes: [\"~/x:/x\"]", "meta.not_yet", 1, "machine.allow"},
      {"M40_devices", "devices: [/dev/i2c-1]", "meta.not_yet", 1, "machine.allow"},
      {"M40_host_network", "network: host", "meta.not_yet", 1, "machine.allow"},
      {"M41_user_root", "user: root", "machine.not_allowed", 1, "machine.allow"},
      {"M41_user_0", "user: 0", "machine.not_allowed"},
      {"M41_user_0_0", "user: \"0:0\"", "machine.not_allowed"},
      {"M41_user_00", "user: \"00\"", "machine.not_allowed"},
      {"M41_group_0", "user: \"65532:0\"", "meta.user"},
      {"M41_shell", "user: nobody; id", "meta.user"},
      {"M41_too_large", "user: 4294967296", "meta.user"},
      {"M41_too_large_text", "user: \"4294967296\"", "meta.user"},
      {"M41_name_in_a_generated_image", "user: nobody", "meta.user"},
      {"M43_interval_0", "healthcheck: {tcp: 80, interval: 0}", "meta.range"},
      {"M43_interval_negative", "healthcheck: {tcp: 80, interval: -1s}", "meta.range"},
      {"M43_interval_1ns", "healthcheck: {tcp: 80, interval: 1ns}", "meta.range"},
      {"M43_interval_1ms", "healthcheck: {tcp: 80, interval: 1ms}", "meta.range", 1, "100ms"},
      {"M43_interval_100h", "healthcheck: {tcp: 80, interval: 100h}", "meta.range"},
      {"M43_interval_abc", "healthcheck: {tcp: 80, interval: abc}", "meta.range", 1, "1m30s"},
      {"M43_retries", "healthcheck: {tcp: 80, retries: 1000000000}", "meta.range"},
      {"health_two_kinds", "healthcheck: {tcp: 80, http: /}", "meta.conflict"},
      {"health_no_kind", "healthcheck: {retries: 2}", "meta.missing_field"},
      {"health_no_port", "healthcheck: {http: /}", "meta.missing_field", 1, "port"},
      {"health_foreign_port", "healthcheck: {tcp: 80, port: 80}", "meta.conflict"},
      {"health_word", "healthcheck: off please", "meta.enum"},
      {"M44_sensor_name_empty", "sensors: [{name: \"\", type: a}]", "meta.sensor", 1, "sensors[0].name"},
      {"M44_sensor_name_path", "sensors: [{name: ../x, type: a}]", "meta.sensor"},
      {"M44_sensor_name_long", "sensors: [{name: " + repeated("x", 250) + ", type: a}]", "meta.too_long"},
      {"M44_sensor_type_path", "sensors: [{name: a, type: ../x}]", "meta.sensor"},
      {"M44_sensor_type_empty", "sensors: [{name: a, type: \"\"}]", "meta.sensor"},
      {"M44_sensor_location", "sensors: [{name: a, type: b, location: ../x}]", "meta.sensor"},
      {"M44_sensor_location_empty", "sensors: [{name: a, type: b, location: \"\"}]", "meta.sensor"},
      {"M44_sensor_twice", "sensors:\n  - {name: a, type: b}\n  - {name: a, type: c}", "meta.sensor", 3,
       "sensors[1]"},
      {"M44_sensors_1000", "sensors:\n" + repeated("  - {name: a, type: b}\n", 1000), "meta.sensor", 2},
      {"sensor_no_type", "sensors: [{name: a}]", "meta.missing_field", 1, "type"},
      {"sensor_rate", "sensors: [{name: a, type: b, rate: 12}]", "meta.type"},
      {"sensor_rate_0", "sensors: [{name: a, type: b, rate: 0/s}]", "meta.sensor"},
      {"sensor_field_range", "sensors: [{name: a, type: b, fields: {t: {min: 2, max: 1}}}]", "meta.range"},
      {"sensor_latitude", "sensors: [{name: a, type: b, location: {lat: 91}}]", "meta.range"},
      {"M46_version_empty", "version: \"\"", "meta.version"},
      {"M46_version_newline", "version: \"1.0\\n2\"", "meta.version"},
      {"M46_version_long", "version: " + repeated("1", 300), "meta.too_long"},
      {"M47_restart", "restart: forever", "meta.enum", 1, "never"},
      {"read_only_word", "read_only: yes", "meta.type", 1, "true or false"},
      {"signal", "stop_signal: SIGFOO", "meta.enum"},
      {"grace", "stop_grace_period: 2h", "meta.range"},
      {"update_order", "update: {order: start-frist}", "meta.enum", 1, "did you mean 'start-first'?"},
      {"update_deadline", "update: {healthy_for: 5m, deadline: 1m}", "meta.range"},
      {"own_dockerfile_and_runtime", "build: {dockerfile: Dockerfile}", "meta.conflict", -1},
      {"package", "build: {packages: [\"x; id\"]}", "meta.package"},
      {"build_argument", "build: {args: {a.b: c}}", "meta.env_name"},
      {"volume_name", "volumes: [\"a b:/x\"]", "meta.volume"},
      {"volume_path", "volumes: [\"a:/x/../y\"]", "meta.volume"},
      {"volume_over_the_code", "volumes: [\"a:/app/\"]", "meta.volume"},
      {"volume_over_proc", "volumes: [\"a:/proc\"]", "meta.volume"},
      {"volume_twice", "volumes: [\"a:/x\", \"b:/x\"]", "meta.volume"},
      {"topic_reserved", "topics: [slipway.deployment.status]", "meta.topic"},
      {"topic_twice", "topics: [a, a]", "meta.topic"},
      {"topic_characters", "topics: [\"a b\"]", "meta.topic"},
      {"no_network_but_ports", "ports: [80]\nnetwork: none", "meta.conflict"},
      {"list_for_a_map", "build: [a]", "meta.type"},
      {"nothing_for_a_map", "build:", "meta.type"},
  };
  return kRows;
}

class MetaFile : public testing::TestWithParam<Row> {};

TEST_P(MetaFile, is_refused_with_code_line_and_hint) {
  const Row& row = GetParam();
  const Reading reading = read_service("service.yaml", kHead + row.lines + "\n");
  ASSERT_FALSE(reading.ok());
  ASSERT_EQ(reading.errors.size(), 1U) << codes(reading);
  const Error& error = reading.errors[0].error;
  EXPECT_EQ(error.code, row.code) << to_string(error);
  const int line = row.line < 0 ? 2 : row.line + kHeadLines;
  EXPECT_TRUE(error.where.starts_with("service.yaml:" + std::to_string(line) + ":")) << to_string(error);
  EXPECT_TRUE(to_string(error).contains(row.says)) << to_string(error);
  EXPECT_FALSE(reading.errors[0].line.empty());
  EXPECT_LT(reading.errors[0].line.size(), 140U);
  EXPECT_FALSE(error.hint.empty());
}
INSTANTIATE_TEST_SUITE_P(Rows, MetaFile, testing::ValuesIn(rows()),
                         [](const auto& row) { return row.param.name; });

// The explanation and the complete validator must agree on what is wrong.
TEST(Schema, is_judged_the_same_by_the_validator) {
  const nlohmann::json schema = nlohmann::json::parse(schema_text());
  for (const auto& row : rows()) {
    const auto document = Document::parse("service.yaml", kHead + row.lines + "\n");
    if (!document || std::string(row.name).contains("too_long") || std::string(row.name).contains("_long"))
      continue;
    const bool by_explanation = explain_by_schema(schema, document->root()).empty();
    const bool by_validator = !violates_schema(schema, document->root()).has_value();
    // Stricter only about scalars that YAML readers disagree on.
    if (by_explanation) {
      EXPECT_TRUE(by_validator) << row.name;
    }
    if (!by_validator) {
      EXPECT_FALSE(by_explanation) << row.name;
    }
  }
}

}  // namespace
}  // namespace slipway::meta_file
