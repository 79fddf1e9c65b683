#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "meta_file/document.hpp"
#include "meta_file/read_test.hpp"
#include "meta_file/schema_check.hpp"

namespace slipway::meta_file {
namespace {

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
    EXPECT_EQ(violates_schema(nlohmann::json::parse(schema_text()), document->root()), std::nullopt)
        << entry.path();
    const Reading reading = read_service("service.yaml", file_text(entry.path()));
    EXPECT_FALSE(reading.ok());
    for (const auto& found : reading.errors) EXPECT_EQ(found.error.code, "meta.not_yet") << render(found);
  }
}

}  // namespace
}  // namespace slipway::meta_file
