#include "meta_file/read.hpp"

#include <gtest/gtest.h>

#include <chrono>

#include "meta_file/read_test.hpp"

namespace slipway::meta_file {
namespace {

using namespace std::chrono_literals;

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

TEST(ReadService, reads_secrets_as_files_of_their_name_or_target) {
  const auto spec =
      must_read(std::string(kHead) + "secrets: [A_1, {name: B}, {name: A_1, target: copy.txt}]\n");
  EXPECT_EQ(spec.secrets, (std::vector<SecretNeed>{{"A_1", "A_1"}, {"B", "B"}, {"A_1", "copy.txt"}}));
}

TEST(ReadService, refuses_secrets_that_could_leave_their_folder_or_fall_on_each_other) {
  for (const std::string bad :
       {"[1A]", "[a-b]", "[../x]", "[{name: a-b}]", "[{name: A, target: ../x}]",
        "[{name: A, target: /etc/x}]", "[{name: A, target: a/b}]", "[{name: A, target: ..}]",
        "[{name: A, target: \"\"}]", "[A, A]", "[A, {name: B, target: A}]"}) {
    const Reading reading = read_service("service.yaml", std::string(kHead) + "secrets: " + bad + "\n");
    ASSERT_FALSE(reading.ok()) << bad;
    EXPECT_EQ(reading.errors[0].error.code, "meta.secret") << bad;
    EXPECT_FALSE(reading.errors[0].error.where.empty()) << bad;
    EXPECT_FALSE(reading.errors[0].error.hint.empty()) << bad;
  }
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

}  // namespace
}  // namespace slipway::meta_file
