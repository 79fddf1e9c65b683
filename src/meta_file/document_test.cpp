#include "meta_file/document.hpp"

#include <gtest/gtest.h>

#include <chrono>

namespace slipway::meta_file {
namespace {

Document must_read(std::string_view text, std::string name = "service.yaml") {
  auto document = Document::parse(std::move(name), text);
  EXPECT_TRUE(document) << to_string(document.error());
  return std::move(*document);
}

struct Refused {
  const char* name;
  const char* file;
  std::string text;
  const char* code;
  const char* where;
  const char* says = "";
};

std::string repeated(std::string_view part, std::size_t times) {
  std::string text;
  for (std::size_t i = 0; i < times; ++i) text += part;
  return text;
}

// A NUL inside a literal.
std::string bytes(const char* text, std::size_t size) {
  return {text, size};
}

std::string billion_laughs() {
  std::string text = "a: &a [lol,lol,lol,lol,lol,lol,lol,lol,lol]\n";
  for (char c = 'b'; c <= 'i'; ++c)
    text += std::string(1, c) + ": &" + c + " [" +
            repeated(std::string("*") + static_cast<char>(c - 1) + ",", 8) + "*" + static_cast<char>(c - 1) +
            "]\n";
  return text;
}

const std::vector<Refused>& refused() {
  static const std::vector<Refused> kRows{
      {"M01_empty", "service.yaml", "", "meta.empty", "1:1"},
      {"M01_comments", "service.yaml", "# nothing\n# here\n", "meta.empty", "1:1"},
      {"M01_dashes", "service.yaml", "---\n", "meta.empty", "1:1"},
      {"M02_not_utf8", "service.yaml", "a: x\nb: \xc0\xaf\n", "meta.encoding", "2:4", "byte 8"},
      {"M02_ff_fe", "service.yaml", "\xff\xfe\xc0\xaf", "meta.encoding", "1:1"},
      {"M04_utf16", "service.yaml", bytes("a\0:\0 \0b\0", 8), "meta.encoding", "1:1", "looks like UTF-16"},
      {"M05_nul", "service.yaml", bytes("a: x\0y\n", 7), "meta.control_char", "1:5"},
      {"M05_nul_escape", "service.yaml", "b: 1\na: \"x\\0y\"\n", "meta.control_char", "2:4"},
      {"M05_nul_escape_json", "service.json", "{\"a\": \"x\\u0000\"}", "meta.control_char", "1:7"},
      {"M05_escape", "service.yaml", "a: \x1b[31m\n", "meta.control_char", "1:4"},
      {"M05_right_to_left_override", "service.yaml", "a: \u202e\n", "meta.control_char", "1:4"},
      {"M07_open_bracket", "service.yaml", "a: 1\nb: [1, 2\nc: 3\n", "meta.syntax", nullptr,
       "opened on line 2"},
      {"M07_open_quote", "service.yaml", "a: 1\nb: \"x\nc: 3\n", "meta.syntax", "2:1", "opened on line 2"},
      {"M07_open_quote_in_list", "service.yaml", "a: ['x', \"y]\nb: 'it'\n", "meta.syntax", "1:1",
       "opened on line 1"},
      {"M07_open_single_quote", "service.yaml", "a: 'x\n\n\n", "meta.syntax", "1:1", "opened on line 1"},
      {"M07_open_bracket_json", "service.json", "{\"a\": [1,\n 2", "meta.syntax", "2:3",
       "opened on line 1, column 7"},
      {"M08_two_documents", "service.yaml", "a: 1\n---\nb: 2\n", "meta.multiple_documents", "2:1"},
      {"M08_two_marked_documents", "service.yaml", "---\na: 1\n---\nb: 2\n", "meta.multiple_documents",
       "3:1"},
      {"M08_after_an_end_mark", "service.yaml", "a: 1\n...\nb: 2\n", "meta.multiple_documents", "3:1"},
      {"M13_anchor", "service.yaml", "a: 1\nb: &x y\n", "meta.yaml_alias_not_allowed", "2:4"},
      {"M13_alias", "service.yaml", "a: *x\n", "meta.yaml_alias_not_allowed", "1:4"},
      {"M13_billion_laughs", "service.yaml", billion_laughs(), "meta.yaml_alias_not_allowed", "1:4"},
      {"M14_self_alias", "service.yaml", "a: &a [*a]\n", "meta.yaml_alias_not_allowed", "1:4"},
      {"M16_python_tag", "service.yaml", "a: !!python/object/apply:os.system [id]\n",
       "meta.yaml_tag_not_allowed", "1:4"},
      {"M16_binary_tag", "service.yaml", "a: !!binary aGk=\n", "meta.yaml_tag_not_allowed", "1:4"},
      {"M16_include_tag", "service.yaml", "a: !include x\n", "meta.yaml_tag_not_allowed", "1:4"},
      {"M17_deep_yaml", "service.yaml", repeated("[", 10'000), "meta.too_deep", nullptr},
      {"M17_one_level_too_many", "service.yaml", repeated("[", 33) + repeated("]", 33), "meta.too_deep",
       "1:33"},
      {"M17_deep_blocks", "service.yaml", repeated("- ", 10'000), "meta.too_deep", "1:65"},
      {"M17_deep_json", "service.json", repeated("[", 60'000), "meta.too_deep", "1:33"},
      {"M19_long_file", "service.yaml", "a: " + repeated("x", 1 << 20), "meta.too_long", "1:1"},
      {"duplicate_key", "service.yaml", "a: 1\nb: 2\na: 3\n", "meta.duplicate_key", "3:1", "first on line 1"},
      {"duplicate_key_json", "service.json", "{\"a\": 1, \"a\": 2}", "meta.duplicate_key", "1:10"},
      {"key_is_a_list", "service.yaml", "? [a]\n: 1\n", "meta.syntax", nullptr, "key"},
      {"M50_comment", "service.json", "{\"a\": 1} // x", "meta.syntax", "1:10"},
      {"M50_comment_first", "service.json", "// x\n{}", "meta.syntax", "1:1", "comments"},
      {"M50_trailing_comma", "service.json", "{\"a\": 1,\n}", "meta.syntax", "2:1"},
      {"M50_trailing_comma_in_list", "service.json", "[1,]", "meta.syntax", "1:4"},
      {"M50_nan", "service.json", "{\"a\": NaN}", "meta.syntax", "1:7"},
      {"M50_single_quotes", "service.json", "{\"a\": 'x'}", "meta.syntax", "1:7", "double quotes"},
      {"M50_huge_number", "service.json", "{\"a\": 1e400}", "meta.syntax", "1:7"},
      {"M50_garbage_after", "service.json", "{} {}", "meta.syntax", "1:4"},
      {"M50_empty", "service.json", "", "meta.syntax", "1:1"},
      {"M50_leading_zero", "service.json", "[010]", "meta.syntax", "1:2"},
      {"M50_half_surrogate", "service.json", "[\"\\ud800\"]", "meta.syntax", nullptr, "surrogate"},
      {"M50_line_end_in_string", "service.json", "[\"a\nb\"]", "meta.syntax", "1:2"},
  };
  return kRows;
}

class Refuses : public testing::TestWithParam<Refused> {};

TEST_P(Refuses, with_code_and_place) {
  const Refused& row = GetParam();
  const auto started = std::chrono::steady_clock::now();
  const auto document = Document::parse(row.file, row.text);
  EXPECT_LT(std::chrono::steady_clock::now() - started, std::chrono::milliseconds(500));
  ASSERT_FALSE(document);
  const Error& error = document.error();
  EXPECT_EQ(error.code, row.code) << to_string(error);
  if (row.where != nullptr) {
    EXPECT_EQ(error.where, std::string(row.file) + ":" + row.where) << to_string(error);
  }
  EXPECT_TRUE(error.message.contains(row.says)) << error.message;
}
INSTANTIATE_TEST_SUITE_P(Document, Refuses, testing::ValuesIn(refused()),
                         [](const auto& row) { return row.param.name; });

TEST(Document, M17_stops_at_200000_levels_even_when_the_file_may_be_that_long) {
  const auto document = Document::parse("x.json", repeated("[", 200'000), {.bytes = 1 << 20});
  ASSERT_FALSE(document);
  EXPECT_EQ(document.error().code, "meta.too_deep");
}

TEST(Document, M17_takes_32_levels) {
  must_read(repeated("[", 32) + repeated("]", 32));
  must_read(repeated("[", 32) + repeated("]", 32), "x.json");
}

TEST(Document, refuses_more_values_than_the_limit) {
  const auto document = Document::parse("x.yaml", "[" + repeated("1,", 100) + "1]", {.nodes = 100});
  ASSERT_FALSE(document);
  EXPECT_EQ(document.error().code, "meta.too_long");
}

TEST(Document, reads_a_hostile_64_kib_file_quickly) {
  for (const char* part :
       {"- ", "a\n", "? ", "{a: ", "'", "\"", "|\n ", "a: b: ", "#", ":\n", "- a\n", "a", "[],", "%\n"}) {
    const auto started = std::chrono::steady_clock::now();
    static_cast<void>(Document::parse("x.yaml", repeated(part, 65'000 / std::string_view(part).size())));
    EXPECT_LT(std::chrono::steady_clock::now() - started, std::chrono::seconds(2)) << part;
  }
}

TEST(Document, keeps_scalars_as_they_were_written) {
  const auto document = must_read("a: 010\nb: '010'\nc: no\nd: 1.10\ne: ~\nf: |\n  x\n  y\n");
  const Node& root = document.root();
  EXPECT_EQ(root.find("a")->text, "010");
  EXPECT_EQ(meaning_of(*root.find("a")), Meaning::kOddNumber);
  EXPECT_EQ(meaning_of(*root.find("b")), Meaning::kText);
  EXPECT_EQ(meaning_of(*root.find("c")), Meaning::kWord);
  EXPECT_EQ(root.find("d")->text, "1.10");
  EXPECT_TRUE(root.find("e")->is_null());
  EXPECT_EQ(root.find("f")->text, "x\ny\n");
  EXPECT_EQ(root.find("g"), nullptr);
}

TEST(Document, knows_what_plain_scalars_mean) {
  const std::vector<std::pair<const char*, Meaning>> rows{
      {"8080", Meaning::kInteger},   {"-1", Meaning::kInteger},      {"0", Meaning::kInteger},
      {"0x10", Meaning::kOddNumber}, {"1_000", Meaning::kOddNumber}, {"1.5", Meaning::kNumber},
      {"1e3", Meaning::kNumber},     {".inf", Meaning::kNumber},     {"-.inf", Meaning::kNumber},
      {".nan", Meaning::kNumber},    {"1.", Meaning::kNumber},       {"true", Meaning::kBoolean},
      {"Off", Meaning::kWord},       {"null", Meaning::kNull},       {"8080:80", Meaning::kText},
      {"1.2.3", Meaning::kText},     {"-", Meaning::kText},          {"e5", Meaning::kText},
      {"1e", Meaning::kText},        {".", Meaning::kText}};
  for (const auto& [text, meaning] : rows) {
    Node node;
    node.text = text;
    EXPECT_EQ(meaning_of(node), meaning) << text;
  }
}

TEST(Document, gives_the_same_tree_for_json) {
  const auto document =
      must_read("{\"a\": [1, \"x\\n\\u00e9\\ud83d\\ude00\"],\n \"b\": {\"c\": null, \"d\": true}}", "x.json");
  const Node& root = document.root();
  EXPECT_EQ(root.find("a")->items[1].text, "x\n\u00e9\U0001f600");
  EXPECT_TRUE(root.find("a")->items[1].quoted);
  EXPECT_TRUE(root.find("b")->find("c")->is_null());
  EXPECT_EQ(document.where(root.find("b")->find_entry("d")->key_place), "x.json:2:19");
}

TEST(Document, M49_counts_lines_whatever_ends_them) {
  for (const char* end : {"\n", "\r\n", "\r"}) {
    const std::string text = std::string("a: 1") + end + "# x" + end + "b: 2" + end;
    const auto document = must_read(text);
    EXPECT_EQ(document.root().find_entry("b")->key_place.line, 3U);
    EXPECT_EQ(document.line_at(document.root().find("b")->place), "b: 2");
  }
}

TEST(Document, reads_over_a_byte_order_mark) {
  EXPECT_EQ(must_read("\xef\xbb\xbf"
                      "a: 1\n")
                .root()
                .find("a")
                ->text,
            "1");
}

TEST(Document, cuts_and_escapes_the_lines_that_it_shows) {
  EXPECT_EQ(line_of("a\tb\nc\x1b[1m\n", 2), "c\\x1b[1m");
  EXPECT_EQ(line_of(repeated("\u00e9", 100), 1).size(), 123U);
  EXPECT_EQ(line_of("a", 2), "");
}

}  // namespace
}  // namespace slipway::meta_file
