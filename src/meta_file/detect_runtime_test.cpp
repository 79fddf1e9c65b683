#include "meta_file/detect_runtime.hpp"

#include <gtest/gtest.h>

#include <map>

#include "meta_file/read.hpp"

namespace slipway::meta_file {
namespace {

using Files = std::map<std::string, std::string>;
using Words = std::vector<std::string>;

SourceView view(const Files& files) {
  SourceView source;
  for (const auto& [path, text] : files) source.paths.push_back(path);
  source.read = [&files](const std::string& path, std::size_t most) {
    const auto found = files.find(path);
    return found == files.end() ? "" : found->second.substr(0, most);
  };
  return source;
}

std::string elf(unsigned machine, unsigned type = 3) {
  std::string head(
      "\x7f"
      "ELF\x02\x01\x01",
      7);
  head.resize(16, '\0');
  for (const unsigned number : {type, machine}) {
    head.push_back(static_cast<char>(number & 0xffU));
    head.push_back(static_cast<char>(number >> 8U));
  }
  return head;
}

std::string detected(const Files& files) {
  return show(guess_runtimes(view(files)));
}

struct Row {
  const char* name;
  Files files;
  const char* shown;
  Words command = {};
};

const std::vector<Row>& rows() {
  static const std::vector<Row> kRows{
      {"python_with_an_entry",
       {{"main.py", ""}, {"requirements.txt", ""}},
       "python: requirements.txt, main.py",
       {"python3", "main.py"}},
      {"python_with_one_script", {{"boiler.py", ""}}, "python: boiler.py", {"python3", "boiler.py"}},
      {"python_with_two_scripts", {{"a.py", ""}, {"b.py", ""}, {"setup.py", ""}}, "python: setup.py"},
      {"scripts_further_down_say_nothing", {{"tools/main.py", ""}, {"README.md", ""}}, ""},
      {"node_with_start",
       {{"package.json",
         R"({"scripts": {"start": "node --enable-source-maps server.js"}, "engines": {"node": "^18.2"}})"},
        {"server.js", ""}},
       "node@18: package.json (start: node --enable-source-maps server.js, engines: ^18.2), server.js",
       {"node", "--enable-source-maps", "server.js"}},
      {"node_with_main",
       {{"package.json", R"({"main": "./lib.js", "engines": {"node": ">=16"}})"}, {"lib.js", ""}},
       "node: package.json (main: ./lib.js, engines: >=16)",
       {"node", "lib.js"}},
      {"node_whose_start_needs_a_bundler",
       {{"package.json", R"({"scripts": {"start": "next start"}})"}, {"server.js", ""}},
       "node: package.json (start: next start), server.js"},
      {"node_whose_start_needs_a_shell",
       {{"package.json", R"({"scripts": {"start": "node a.js && node b.js"}})"}},
       "node: package.json (start: node a.js && node b.js)"},
      {"node_with_a_script_alone", {{"index.js", ""}}, "node: index.js", {"node", "index.js"}},
      {"node_with_a_damaged_package",
       {{"package.json", "{\"main\": "}},
       "node: package.json (no JSON object)"},
      {"node_with_odd_types",
       {{"package.json", R"({"scripts": [1], "main": {"a": 1}, "engines": null})"}},
       "node: package.json"},
      {"cpp_with_one_program",
       {{"CMakeLists.txt",
         "# add_executable(old x)\nproject(x)\nADD_EXECUTABLE (\n  room-comfort main.cpp)\n"}},
       "cpp: CMakeLists.txt (add_executable: room-comfort)",
       {"/app/bin/room-comfort"}},
      {"cpp_named_as_its_project",
       {{"CMakeLists.txt", "project(comfort CXX)\nadd_executable(${PROJECT_NAME} a.cpp)"}},
       "cpp: CMakeLists.txt (add_executable: comfort)",
       {"/app/bin/comfort"}},
      {"cpp_with_two_programs",
       {{"CMakeLists.txt", "add_executable(a a.cpp)\nadd_executable(b b.cpp)\nmy_add_executable(c d)"}},
       "cpp: CMakeLists.txt (add_executable: a, b)"},
      {"cpp_cut_off", {{"CMakeLists.txt", "add_executable("}}, "cpp: CMakeLists.txt"},
      {"binary",
       {{"hello", elf(183)}, {"LICENSE", "free"}},
       "binary: hello (a program for arm64)",
       {"/app/hello"}},
      {"two_binaries",
       {{"a", elf(62)}, {"b", elf(62)}},
       "binary: a (a program for amd64), b (a program for amd64)"},
      {"no_binary",
       {{"a",
         "\x7f"
         "ELF"},
        {"b", elf(62, 1)},
        {"lib.so", elf(62)}},
       ""},
      {"a_dockerfile", {{"Dockerfile", "FROM x"}}, "dockerfile: Dockerfile"},
      {"what_has_no_recipe_yet", {{"go.mod", ""}}, "go: go.mod"},
      {"two_things", {{"main.py", ""}, {"package.json", "{}"}}, "node: package.json; python: main.py"},
      {"hostile_names", {{"\x1b[31m.py", ""}}, "python: \\x1b[31m.py", {"python3", "\x1b[31m.py"}},
  };
  return kRows;
}

class DetectRuntime : public testing::TestWithParam<Row> {};

TEST_P(DetectRuntime, shows_what_speaks_for_it) {
  const Row& row = GetParam();
  EXPECT_EQ(detected(row.files), row.shown);
  const auto guesses = guess_runtimes(view(row.files));
  EXPECT_EQ(guesses.size() == 1 ? guesses[0].command : Words{}, row.command);
}

INSTANTIATE_TEST_SUITE_P(Sources, DetectRuntime, testing::ValuesIn(rows()),
                         [](const auto& row) { return std::string(row.param.name); });

Reading read(const std::string& text, const Files& files, const Policy& policy = {}) {
  const auto source = view(files);
  return read_service("service.yaml", text, policy, &source);
}

TEST(ReadService, takes_the_runtime_and_command_that_the_source_shows) {
  const Reading reading = read(
      "name: a\n", {{"package.json", R"({"scripts": {"start": "node s.js"}, "engines": {"node": "18"}})"}});
  ASSERT_TRUE(reading.ok());
  EXPECT_EQ(reading.spec->runtime, "node");
  EXPECT_EQ(reading.spec->runtime_version, "18");
  EXPECT_EQ(reading.spec->command, (Words{"node", "s.js"}));
  EXPECT_EQ(reading.detected,
            "detected node@18: package.json (start: node s.js, engines: 18); it runs: node s.js");
  const Reading named =
      read("name: a\nruntime: cpp\n", {{"CMakeLists.txt", "add_executable(x x.cpp)"}, {"main.py", ""}});
  ASSERT_TRUE(named.ok());
  EXPECT_EQ(named.spec->command, Words{"/app/bin/x"});
  const Reading own = read("name: a\n", {{"Dockerfile", "FROM x"}});
  ASSERT_TRUE(own.ok());
  EXPECT_EQ(own.spec->dockerfile, "Dockerfile");
}

TEST(ReadService, detects_nothing_where_everything_is_named) {
  const Reading reading = read("name: a\nruntime: python\ncommand: python3 x.py\n", {{"package.json", "{}"}});
  ASSERT_TRUE(reading.ok());
  EXPECT_EQ(reading.detected, "");
  EXPECT_TRUE(read("name: a\nimage: x\n", {{"package.json", "{}"}, {"main.py", ""}}).ok());
}

struct Refusal {
  const char* name;
  std::string meta;
  Files files;
  const char* code;
  const char* says;
};

class Undetected : public testing::TestWithParam<Refusal> {};

TEST_P(Undetected, is_refused_with_the_evidence) {
  const Refusal& row = GetParam();
  const Reading reading =
      read(row.meta, row.files, {.runtimes = {{"python", {"3.11"}}, {"node", {"18"}}, {"cpp", {}}}});
  ASSERT_FALSE(reading.ok());
  EXPECT_EQ(reading.errors[0].error.code, row.code);
  EXPECT_TRUE(to_string(reading.errors[0].error).contains(row.says)) << to_string(reading.errors[0].error);
  EXPECT_TRUE(reading.errors[0].error.where.starts_with("service.yaml:1:1"));
}

INSTANTIATE_TEST_SUITE_P(
    Sources, Undetected,
    testing::Values(
        Refusal{"two",
                "name: a\n",
                {{"main.py", ""}, {"server.js", ""}},
                "meta.runtime_ambiguous",
                "node: server.js; python: main.py"},
        Refusal{"nothing", "name: a\n", {{"README", ""}}, "meta.missing_field", "runtime: python"},
        Refusal{"no_command",
                "name: a\n",
                {{"CMakeLists.txt", "add_executable(a x)\nadd_executable(b x)"}},
                "meta.missing_field",
                "add_executable: a, b"},
        Refusal{"no_recipe", "name: a\n", {{"go.mod", ""}}, "meta.not_yet", "go.mod"},
        Refusal{"not_on_this_server",
                "name: a\n",
                {{"hello", elf(62)}},
                "meta.runtime_unknown",
                "it has cpp, node@18, python@3.11"},
        Refusal{"another_version",
                "name: a\n",
                {{"package.json", R"({"main": "a.js", "engines": {"node": "20"}})"}, {"a.js", ""}},
                "meta.runtime_unknown",
                "node@20"}),
    [](const auto& row) { return std::string(row.param.name); });

struct BuildRow {
  const char* name;
  std::string lines;
  const char* code;
};

class BuildKeys : public testing::TestWithParam<BuildRow> {};

TEST_P(BuildKeys, belong_to_their_runtime) {
  const Reading reading = read("name: a\ncommand: x\n" + GetParam().lines + "\n", {});
  if (std::string(GetParam().code).empty()) {
    EXPECT_TRUE(reading.ok()) << render(reading.errors[0]);
    return;
  }
  ASSERT_FALSE(reading.ok());
  EXPECT_EQ(reading.errors[0].error.code, GetParam().code);
}

INSTANTIATE_TEST_SUITE_P(
    Rows, BuildKeys,
    testing::Values(
        BuildRow{"artifacts_of_a_script", "runtime: python\nbuild: {artifacts: [a]}", "meta.conflict"},
        BuildRow{"artifacts_of_a_dockerfile", "build: {dockerfile: D, artifacts: [a]}", "meta.conflict"},
        BuildRow{"artifact_outside", "runtime: cpp\nbuild: {artifacts: [../a]}", "meta.path"},
        BuildRow{"artifact_anywhere", "runtime: cpp\nbuild: {artifacts: [/etc/passwd]}", "meta.path"},
        BuildRow{"artifact_with_a_wildcard", "runtime: cpp\nbuild: {artifacts: [\"a*\"]}", "meta.path"},
        BuildRow{"steps_that_leave_nothing", "runtime: cpp\nbuild: {steps: [make]}", "meta.missing_field"},
        BuildRow{"steps_with_artifacts", "runtime: cpp\nbuild: {steps: [make], artifacts: [a]}", ""},
        BuildRow{"steps_of_a_binary", "runtime: binary\nbuild: {steps: [id]}", "meta.conflict"},
        BuildRow{"a_runtime_without_a_recipe", "runtime: java", "meta.not_yet"},
        BuildRow{"every_recipe_by_default", "runtime: node@22", ""}),
    [](const auto& row) { return std::string(row.param.name); });

TEST(CheckAgainstSource, A25_misses_the_entry_file_of_every_runtime) {
  const auto missing = [](const std::string& lines) {
    const Reading reading = read("name: a\n" + lines, {});
    const std::vector<std::string> paths{"server.js", "tool"};
    return reading.ok() ? check_against_source(*reading.spec, paths).size() : 99;
  };
  EXPECT_EQ(missing("runtime: node\ncommand: node --inspect sever.js\n"), 1U);
  EXPECT_EQ(missing("runtime: node\ncommand: node server.js\n"), 0U);
  EXPECT_EQ(missing("runtime: node\ncommand: node -e 'x.js'\n"), 0U);
  EXPECT_EQ(missing("runtime: binary\ncommand: ./toool\n"), 1U);
  EXPECT_EQ(missing("runtime: binary\ncommand: /app/tool -x\n"), 0U);
  EXPECT_EQ(missing("runtime: binary\ncommand: sh run.sh\n"), 0U);
  EXPECT_EQ(missing("runtime: cpp\ncommand: /app/bin/a\n"), 0U) << "made by the build";
}

TEST(EntryPath, is_relative_to_the_source) {
  ServiceSpec spec;
  EXPECT_EQ(entry_path(spec), "");
  for (const char* word : {"x/y", "./x/y", "/app/x/y"}) {
    spec.command = {word};
    EXPECT_EQ(entry_path(spec), "x/y");
  }
}

}  // namespace
}  // namespace slipway::meta_file
