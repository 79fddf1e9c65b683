#include "meta_file/read.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "meta_file/document.hpp"
#include "meta_file/not_yet.hpp"
#include "meta_file/schema_check.hpp"

namespace slipway::meta_file {
namespace {

using namespace std::chrono_literals;
using Json = nlohmann::json;

constexpr const char* kHead = "name: hello\nruntime: python@3.11\ncommand: python main.py\n";
constexpr int kHeadLines = 3;

std::string repeated(std::string_view part, std::size_t times) {
  std::string text;
  for (std::size_t i = 0; i < times; ++i) text += part;
  return text;
}

std::string codes(const Reading& reading) {
  std::string all;
  for (const auto& found : reading.errors) all += render(found) + "\n";
  return all;
}

ServiceSpec must_read(const std::string& text, const Policy& policy = {}) {
  const Reading reading = read_service("service.yaml", text, policy);
  EXPECT_TRUE(reading.ok()) << text << codes(reading);
  return reading.spec.value_or(ServiceSpec());
}

std::string file_text(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

std::filesystem::path examples() {
  const char* root = std::getenv("SLIPWAY_SOURCE_DIR");
  return std::filesystem::path(root == nullptr ? "." : root) / "contracts/examples/service";
}

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

TEST(ReadService, M11_names_each_missing_field) {
  const Reading reading = read_service("service.yaml", "# c\ndescription: x\n");
  ASSERT_EQ(reading.errors.size(), 3U) << codes(reading);
  for (const auto& found : reading.errors) {
    EXPECT_EQ(found.error.code, "meta.missing_field");
    EXPECT_EQ(found.error.where, "service.yaml:2:1");
  }
}

TEST(ReadService, M20_refuses_names_that_are_no_dns_label) {
  for (const std::string name : {"../../etc", "a/b", ".hidden", "-rm", "a b", "\u00fcn\u00ef", "UPPER",
                                 "a..b", "trailing-", "", "9a", "a\\n"}) {
    const Reading reading =
        read_service("service.yaml", "name: \"" + name + "\"\nruntime: python\ncommand: x\n");
    ASSERT_EQ(reading.errors.size(), 1U) << name << codes(reading);
    EXPECT_EQ(reading.errors[0].error.code, "meta.name");
    EXPECT_TRUE(reading.errors[0].error.hint.contains("at most 40 characters"));
  }
  EXPECT_EQ(read_service("service.yaml", "name: " + repeated("x", 64) + "\nimage: a\n").errors[0].error.code,
            "meta.too_long");
  must_read("name: " + repeated("x", 40) + "\nimage: a\n");
  must_read("name: x\nimage: a\n");
}

TEST(ReadService, M22_refuses_slipways_own_names) {
  const Reading reading = read_service("service.yaml", "name: slipway-x\nimage: a\n");
  ASSERT_EQ(reading.errors.size(), 1U);
  EXPECT_EQ(reading.errors[0].error.code, "meta.name_reserved");
}

TEST(ReadService, M23_wants_quotes_around_names_that_are_not_text_to_yaml) {
  for (const std::string name : {"no", "1e3", "0x10", "12", "true"}) {
    const Reading reading = read_service("service.yaml", "name: " + name + "\nimage: a\n");
    ASSERT_EQ(reading.errors.size(), 1U) << name << codes(reading);
    EXPECT_EQ(reading.errors[0].error.code, "meta.type");
    EXPECT_EQ(reading.errors[0].error.hint, "write it in quotes: \"" + name + "\"");
  }
  EXPECT_EQ(read_service("service.yaml", "name: ~\nimage: a\n").errors[0].error.code, "meta.type");
  EXPECT_EQ(must_read("name: \"no\"\nimage: a\n").name, "no");
}

TEST(ReadService, M32_warns_of_secrets_and_never_repeats_them) {
  const std::string token = "ghp_" + repeated("a1", 20);
  const Reading reading = read_service(
      "service.yaml", std::string(kHead) + "env: {TOKEN: " + token + ", KEY: \"-----BEGIN RSA PRIVATE " +
                          "KEY-----\", ID: AKIAABCDEFGHIJKLMNOP, PLAIN: hello}\n");
  ASSERT_TRUE(reading.ok()) << codes(reading);
  ASSERT_EQ(reading.warnings.size(), 3U);
  EXPECT_EQ(reading.warnings[0].error.code, "meta.secret_in_env");
  for (const auto& warning : reading.warnings) EXPECT_FALSE(render(warning).contains(token));
}

TEST(ReadService, M34_splits_commands_into_words_and_leaves_the_shell_out) {
  const auto spec = must_read("name: a\nruntime: python\ncommand: 'rm -rf /; echo \"a b\" $HOME'\n");
  EXPECT_EQ(spec.command, (std::vector<std::string>{"rm", "-rf", "/;", "echo", "a b", "$HOME"}));
}

TEST(ReadService, M35_takes_a_newline_in_an_argument_as_data) {
  const auto spec = must_read("name: a\nruntime: python\ncommand: [python, -c, \"a\\nRUN id\", 10, 010]\n");
  EXPECT_EQ(spec.command, (std::vector<std::string>{"python", "-c", "a\nRUN id", "10", "010"}));
}

TEST(ReadService, M38_refuses_unknown_runtimes_and_names_those_it_has) {
  for (const char* runtime : {"\"python3; id\"", "python@99", "python@3.1", "ubuntu:latest", "FROM x"}) {
    const Reading reading =
        read_service("service.yaml", std::string("name: a\ncommand: x\nruntime: ") + runtime + "\n");
    ASSERT_EQ(reading.errors.size(), 1U) << runtime << codes(reading);
    EXPECT_EQ(reading.errors[0].error.code, "meta.runtime_unknown") << runtime;
    EXPECT_TRUE(reading.errors[0].error.hint.contains("python@3.11")) << reading.errors[0].error.hint;
  }
  EXPECT_EQ(must_read("name: a\ncommand: x\nruntime: python@3\n").runtime_version, "3");
}

TEST(ReadService, M31_takes_newlines_and_tabs_in_env) {
  EXPECT_EQ(must_read(std::string(kHead) + "env: {A: \"a\\nb\\tc\"}\n").env.at("A"), "a\nb\tc");
}

TEST(ReadService, gives_all_errors_at_once_in_the_order_of_the_file_and_at_most_20) {
  const Reading three = read_service("service.yaml", "name: A\nports: [x]\nrestart: maybe\nimage: a\n");
  ASSERT_EQ(three.errors.size(), 3U) << codes(three);
  EXPECT_EQ(three.errors[0].error.where, "service.yaml:1:7");
  EXPECT_EQ(three.errors[1].error.where, "service.yaml:2:9");
  EXPECT_EQ(three.errors[2].error.where, "service.yaml:3:10");
  std::string many = kHead;
  for (int i = 0; i < 30; ++i) many += "unknown" + std::to_string(i) + ": 1\n";
  EXPECT_EQ(read_service("service.yaml", many).errors.size(), 20U);
}

TEST(ReadService, tells_several_errors_in_one) {
  const Reading reading = read_service("service.yaml", std::string(kHead) + "prots: [1]\nrestart: maybe\n");
  const Error error = as_one_error(reading.errors);
  EXPECT_EQ(error.code, "meta.unknown_key");
  EXPECT_EQ(error.where, "service.yaml:4:1");
  EXPECT_EQ(error.hint, "did you mean 'ports'?");
  EXPECT_TRUE(error.message.contains("prots: [1]")) << error.message;
  EXPECT_TRUE(error.message.contains("service.yaml:5:10: meta.enum")) << error.message;
}

TEST(ReadService, fills_in_the_defaults) {
  const auto spec = must_read("name: hello\nruntime: python@3.11\ncommand: python main.py\nports: [8080]\n");
  EXPECT_EQ(spec.runtime, "python");
  EXPECT_EQ(spec.runtime_version, "3.11");
  EXPECT_EQ(spec.ports, (std::vector{PortMapping{"", 8080, 8080, "127.0.0.1", "tcp"}}));
  EXPECT_EQ(spec.memory_bytes, 256U << 20);
  EXPECT_EQ(spec.cpus, 1.0);
  EXPECT_EQ(spec.pids, 256U);
  EXPECT_EQ(spec.healthcheck.kind, HealthCheck::Kind::kTcp);
  EXPECT_EQ(spec.healthcheck.port, 8080);
  EXPECT_EQ(spec.healthcheck.interval, 30s);
  EXPECT_EQ(spec.update.healthy_for, 5s);
  EXPECT_EQ(spec.update.deadline, 5min);
  EXPECT_EQ(spec.stop_grace_period, 10s);
  EXPECT_EQ(spec.restart.kind, RestartPolicy::Kind::kAlways);
  EXPECT_EQ(spec.user, "");
  EXPECT_EQ(must_read(kHead).healthcheck.kind, HealthCheck::Kind::kNone);
  EXPECT_EQ(must_read(std::string(kHead) + "ports: [80]\nhealthcheck: none\n").healthcheck.kind,
            HealthCheck::Kind::kNone);
}

TEST(ReadService, reads_every_field_of_the_full_example) {
  const auto spec = must_read(file_text(examples() / "good/full.yaml"));
  EXPECT_EQ(spec.version, "1.10");
  EXPECT_EQ(spec.labels.at("tier"), "2");
  EXPECT_EQ(spec.env.at("RETRIES"), "010");
  EXPECT_EQ(spec.env.at("ENABLED"), "no");
  EXPECT_EQ(spec.command, (std::vector<std::string>{"python", "-m", "boiler", "--name", "boiler room"}));
  EXPECT_EQ(spec.user, "65540:65540");
  EXPECT_EQ(spec.ports[2], (PortMapping{"", 9000, 0, "127.0.0.1", "udp"}));
  EXPECT_EQ(spec.volumes, (std::vector{VolumeMount{"data", "/var/lib/boiler", false}}));
  EXPECT_EQ(spec.memory_bytes, 256'000'000U);
  EXPECT_EQ(spec.healthcheck.kind, HealthCheck::Kind::kHttp);
  EXPECT_EQ(spec.healthcheck.path, "/healthz");
  EXPECT_EQ(spec.restart, (RestartPolicy{RestartPolicy::Kind::kOnFailure, 5}));
  EXPECT_EQ(spec.stop_grace_period, 90s);
  ASSERT_EQ(spec.sensors.size(), 1U);
  const SensorNeed& air = spec.sensors[0];
  EXPECT_EQ(air.location->site, "plant-2");
  EXPECT_EQ(air.location->room, "boiler-room");
  EXPECT_EQ(air.period, 5s);
  EXPECT_EQ(air.fields.at("humidity").unit, "%");
  EXPECT_EQ(air.fields.at("pressure").max, 1200.0);
  EXPECT_TRUE(air.required);
}

TEST(ReadService, reads_ports_in_every_form) {
  const auto spec = must_read(
      std::string(kHead) +
      "ports: [\"[::1]:80:81\", \"127.0.0.2:90\", \"5000-5001:6000-6001\", \"0.0.0.0:0:70\","
      " {target: 30, published: 0, name: admin, host_ip: 10.0.0.1, protocol: udp}, {target: 31}]\n");
  EXPECT_EQ(
      spec.ports,
      (std::vector{PortMapping{"", 81, 80, "::1", "tcp"}, PortMapping{"", 90, 90, "127.0.0.2", "tcp"},
                   PortMapping{"", 6000, 5000, "127.0.0.1", "tcp"},
                   PortMapping{"", 6001, 5001, "127.0.0.1", "tcp"}, PortMapping{"", 70, 0, "0.0.0.0", "tcp"},
                   PortMapping{"admin", 30, 0, "10.0.0.1", "udp"},
                   PortMapping{"", 31, 31, "127.0.0.1", "tcp"}}));
}

TEST(ReadService, takes_a_users_name_where_the_image_may_know_it) {
  EXPECT_EQ(must_read("name: a\nimage: b\nuser: app\n").user, "app");
  EXPECT_EQ(must_read("name: a\nimage: b\nuser: 1000\n").user, "1000");
  EXPECT_EQ(must_read("name: a\nimage: b\nuser: root\n", {.allow_root = true}).user, "root");
}

TEST(ReadService, ends_quickly_whatever_the_schema_is_fed_with) {
  for (const std::string& text :
       {"name: " + repeated("a", 60'000), "healthcheck: {interval: " + repeated("1s", 30'000) + "}",
        "schedule: " + repeated("x ", 30'000), "ports: [" + repeated("1,", 30'000) + "1]",
        repeated("x", 60'000) + ": 1", "env: {" + repeated("y", 60'000) + ": 1}", std::string("42"),
        std::string("[a]")}) {
    const auto started = std::chrono::steady_clock::now();
    EXPECT_FALSE(read_service("service.yaml", text).ok());
    EXPECT_LT(std::chrono::steady_clock::now() - started, 1s) << text.substr(0, 40);
  }
}

TEST(CheckAgainstSource, A25_misses_the_entry_file) {
  const std::vector<std::string> paths{"main.py", "service.yaml"};
  const auto missing =
      check_against_source(must_read("name: a\nruntime: python\ncommand: python mian.py\n"), paths);
  ASSERT_EQ(missing.size(), 1U);
  EXPECT_EQ(missing[0].error.code, "meta.entry_missing");
  EXPECT_EQ(missing[0].error.hint, "did you mean 'main.py'?");
  EXPECT_EQ(check_against_source(must_read("name: a\nruntime: python\ncommand: python mian.py\n"), paths,
                                 "service.yaml", "name: a\nruntime: python\ncommand: python mian.py\n")[0]
                .error.where,
            "service.yaml:3:1");
  EXPECT_TRUE(check_against_source(must_read(kHead), paths).empty());
  EXPECT_TRUE(
      check_against_source(must_read("name: a\nruntime: python\ncommand: python -u main.py x.py\n"), paths)
          .empty());
  EXPECT_TRUE(check_against_source(must_read("name: a\nruntime: python\ncommand: python -m boiler\n"), paths)
                  .empty());
  EXPECT_EQ(check_against_source(must_read("name: a\nbuild: {dockerfile: Dockerfile}\n"), paths).size(), 1U);
}

TEST(Examples, good_ones_are_taken) {
  std::size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(examples() / "good")) {
    const Reading reading =
        read_service("service" + entry.path().extension().string(), file_text(entry.path()));
    EXPECT_TRUE(reading.ok()) << entry.path() << "\n" << codes(reading);
    ++count;
  }
  EXPECT_GE(count, 5U);
}

// bad/<code>--<what>.<yaml|json>
TEST(Examples, bad_ones_are_refused_with_the_code_in_their_name) {
  std::size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(examples() / "bad")) {
    const std::string name = entry.path().filename();
    const Reading reading =
        read_service("service" + entry.path().extension().string(), file_text(entry.path()));
    ASSERT_FALSE(reading.ok()) << name;
    EXPECT_EQ(reading.errors[0].error.code, name.substr(0, name.find("--"))) << codes(reading);
    ++count;
  }
  EXPECT_GE(count, 10U);
}

TEST(Examples, later_ones_keep_the_schema_and_are_refused_as_not_yet) {
  for (const auto& entry : std::filesystem::directory_iterator(examples() / "later")) {
    const auto document = Document::parse("service.yaml", file_text(entry.path()));
    ASSERT_TRUE(document) << entry.path();
    EXPECT_EQ(violates_schema(Json::parse(schema_text()), document->root()), std::nullopt) << entry.path();
    const Reading reading = read_service("service.yaml", file_text(entry.path()));
    EXPECT_FALSE(reading.ok());
    for (const auto& found : reading.errors) EXPECT_EQ(found.error.code, "meta.not_yet") << render(found);
  }
}

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
      {"build.artifacts", add("build: {artifacts: [a]}")},
      {"command", {kImageHead + "command: x\n", kImageHead}},
      {"entrypoint", add("entrypoint: x")},
      {"user", add("user: 1000")},
      {"working_dir", add("working_dir: /app/x")},
      {"env", add("env: {A: b}")},
      {"secrets", add("secrets: [A]")},
      {"secrets[].name", add("secrets: [{name: A}]")},
      {"secrets[].target", add("secrets: [{name: A, target: b}]")},
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

// The explanation and the complete validator must agree on what is wrong.
TEST(Schema, is_judged_the_same_by_the_validator) {
  const Json schema = Json::parse(schema_text());
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
