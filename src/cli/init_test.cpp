#include <gmock/gmock.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "meta_file/read.hpp"
#include "tests/fakes/cli_world.hpp"

namespace slipway::cli {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::HasSubstr;

class InitTest : public CliTest {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "slipway-init-XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    root = pattern;
  }
  void TearDown() override { fs::remove_all(root); }

  std::string folder(const std::string& name, const std::map<std::string, std::string>& files) {
    fs::create_directories(root / name);
    for (const auto& [file, text] : files) std::ofstream(root / name / file) << text;
    return root / name;
  }
  static std::string text_of(const std::string& folder) {
    std::ifstream file(fs::path(folder) / "service.yaml");
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
  }

  fs::path root;
};

TEST_F(InitTest, writes_what_the_folder_shows_with_the_evidence) {
  const auto node =
      folder("Hello Node_2",
             {{"package.json", R"({"scripts": {"start": "node server.js"}, "engines": {"node": "18"}})"},
              {"server.js", ""}});
  EXPECT_EQ(run({"init", node}), 0) << err.str();
  EXPECT_THAT(out.str(), HasSubstr("node@18: package.json (start: node server.js, engines: 18), server.js"));
  const std::string text = text_of(node);
  EXPECT_THAT(text, HasSubstr("\nname: hello-node-2\n# detected node@18: package.json"));
  EXPECT_THAT(text, HasSubstr("\nruntime: node@18\ncommand: node server.js\n"));
  const auto reading = meta_file::read_service("service.yaml", text);
  ASSERT_TRUE(reading.ok());
  EXPECT_EQ(reading.spec->command, (std::vector<std::string>{"node", "server.js"}));
  EXPECT_TRUE(server.calls.empty());
}

TEST_F(InitTest, never_overwrites) {
  for (const char* name : {"service.yaml", "service.json"}) {
    const auto taken = folder(std::string("taken-") + name, {{"main.py", ""}, {name, "mine"}});
    EXPECT_EQ(run({"init", taken}), 2);
    EXPECT_THAT(err.str(), HasSubstr("nothing was written"));
    EXPECT_EQ(std::distance(fs::directory_iterator(taken), fs::directory_iterator()), 2);
  }
}

TEST_F(InitTest, refuses_to_guess_and_takes_the_word_of_the_user) {
  const auto two = folder("two", {{"main.py", ""}, {"CMakeLists.txt", "add_executable(x x.cpp)"}});
  EXPECT_EQ(run({"init", two, "-o", "json"}), 2);
  EXPECT_EQ(json::parse(out.str())["code"], "meta.runtime_ambiguous");
  EXPECT_THAT(err.str(), HasSubstr("cpp: CMakeLists.txt (add_executable: x); python: main.py"));
  EXPECT_FALSE(fs::exists(fs::path(two) / "service.yaml"));
  EXPECT_EQ(run({"init", two, "--runtime", "python@3.11", "--name", "mine"}), 0) << err.str();
  EXPECT_THAT(
      text_of(two),
      HasSubstr(
          "name: mine\n# detected python@3.11: main.py\nruntime: python@3.11\ncommand: python3 main.py\n"));
}

TEST_F(InitTest, asks_for_what_the_folder_does_not_say) {
  const auto nothing = folder("nothing", {{"README.md", ""}});
  EXPECT_EQ(run({"init", nothing}), 2);
  EXPECT_THAT(err.str(), HasSubstr("--runtime"));
  const auto library = folder("library", {{"pyproject.toml", ""}});
  EXPECT_EQ(run({"init", library}), 2);
  EXPECT_THAT(err.str(), HasSubstr("--command"));
  EXPECT_EQ(run({"init", library, "--command", "python3 -c 'print(1)'"}), 0) << err.str();
  EXPECT_EQ(meta_file::read_service("service.yaml", text_of(library)).spec->command,
            (std::vector<std::string>{"python3", "-c", "print(1)"}));
  EXPECT_EQ(run({"init", folder("123", {{"main.py", ""}})}), 2);
  EXPECT_THAT(err.str(), HasSubstr("--name"));
  EXPECT_EQ(run({"init", folder("bad", {{"main.py", ""}}), "--name", "Bad_Name"}), 2);
  EXPECT_THAT(err.str(), HasSubstr("meta.name"));
  EXPECT_EQ(run({"init", folder("gone", {{"go.mod", ""}})}), 2);
  EXPECT_THAT(err.str(), HasSubstr("meta.not_yet"));
  EXPECT_EQ(run({"init", "no/such/folder"}), 2);
}

TEST_F(InitTest, keeps_hostile_names_of_files_out_of_the_file) {
  const auto odd = folder("odd", {{"a\nports: [22].py", ""}});
  EXPECT_EQ(run({"init", odd}), 0) << err.str();
  const auto reading = meta_file::read_service("service.yaml", text_of(odd));
  ASSERT_TRUE(reading.ok());
  EXPECT_TRUE(reading.spec->ports.empty());
  EXPECT_EQ(reading.spec->command, (std::vector<std::string>{"python3", "a\nports: [22].py"}));
}

}  // namespace
}  // namespace slipway::cli
