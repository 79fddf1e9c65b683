#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/text.hpp"
#include "meta_file/dockerfile.hpp"
#include "meta_file/read.hpp"
#include "tests/fuzz/fuzz.hpp"

namespace slipway::meta_file {
namespace {

void check_error(const Finding& finding) {
  const Error& error = finding.error;
  EXPECT_TRUE(error.code.starts_with("meta.") || error.code == "machine.not_allowed") << error.code;
  EXPECT_TRUE(error.where.starts_with("service.")) << to_string(error);
  EXPECT_FALSE(error.message.empty()) << error.code;
  EXPECT_FALSE(error.hint.empty()) << to_string(error);
  EXPECT_FALSE(find_invalid_utf8(render(finding))) << escape_for_people(render(finding));
}

// Nothing of a meta file becomes an instruction of its own.
void check_dockerfile(const ServiceSpec& spec) {
  const auto text =
      make_dockerfile(spec, Recipe{}, SourceFacts{.has_requirements = true, .has_ca_bundle = true});
  if (!text) return;
  for (const auto& line : split(*text, '\n')) {
    const std::string word = line.substr(0, line.find(' '));
    EXPECT_TRUE(word.empty() || word == "FROM" || word == "LABEL" || word == "USER" || word == "ENV" ||
                word == "WORKDIR" || word == "RUN" || word == "COPY" || word == "ARG")
        << *text;
  }
}

void check(const std::string& text) {
  const std::string name = text.starts_with('{') ? "service.json" : "service.yaml";
  const Reading reading = read_service(name, text);
  EXPECT_NE(reading.ok(), !reading.errors.empty());
  EXPECT_LE(reading.errors.size(), 20U);
  for (const auto& finding : reading.errors) check_error(finding);
  if (!reading.ok()) return;
  const auto again = spec_from_json(to_json(*reading.spec));
  ASSERT_TRUE(again) << to_string(again.error());
  EXPECT_EQ(*again, *reading.spec);
  if (reading.spec->image_source == ImageSource::kRuntime) check_dockerfile(*reading.spec);
  (void)check_against_source(*reading.spec, std::vector<std::string>{"main.py", "service.yaml"}, name, text);
}

TEST(Fuzz, a_meta_file_gives_a_spec_or_errors_with_place_and_hint) {
  fuzz::run({.name = "meta",
             .corpus = fuzz::files_of("contracts/examples/service"),
             .words = {"- ",
                       ": ",
                       "\n",
                       "\n  ",
                       "[",
                       "]",
                       "{",
                       "}",
                       "\"",
                       "'",
                       "&a ",
                       "*a",
                       "!!str ",
                       "|\n",
                       ">\n",
                       "---\n",
                       "...\n",
                       "? ",
                       "# ",
                       "~",
                       "null",
                       "yes",
                       "0x10",
                       "010",
                       "1e999",
                       ".nan",
                       "-1",
                       "\t",
                       "\r",
                       "\\u0000",
                       "\\n",
                       "\xff",
                       "\xef\xbb\xbf",
                       "\u202e",
                       "name: ",
                       "ports: ",
                       "env: ",
                       "command: ",
                       "build: ",
                       "steps: ",
                       "packages: ",
                       "volumes: ",
                       "sensors: ",
                       "healthcheck: ",
                       "resources: ",
                       "update: ",
                       "\nRUN id\n",
                       "$(id)",
                       "`id`",
                       ",",
                       "\\",
                       "%",
                       "@",
                       "<<: "},
             .rounds = 25'000,
             .check = check});
}

}  // namespace
}  // namespace slipway::meta_file
