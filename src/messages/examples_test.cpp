#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>
#include <valijson/adapters/nlohmann_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validation_results.hpp>
#include <valijson/validator.hpp>

#include "messages/deployment_request.hpp"
#include "messages/deployment_status.hpp"
#include "messages/machine.hpp"
#include "messages/machine_sample.hpp"
#include "messages/placement.hpp"
#include "messages/sensor.hpp"
#include "messages/service_event.hpp"

namespace slipway::messages {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

const RecordPlace kPlace{"cluster", "topic", 3, 17, 1'795'348'000'000};

fs::path contracts() {
  const char* root = std::getenv("SLIPWAY_SOURCE_DIR");
  return fs::path(root != nullptr ? root : ".") / "contracts";
}

std::string read_file(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

/// Reads a message and writes it again.
using Again = std::function<Result<std::string>(std::string_view)>;

template <class Parse>
Again request(Parse parse) {
  return [parse](std::string_view text) -> Result<std::string> {
    auto parsed = parse(text, std::nullopt, kPlace);
    if (!parsed) return parsed.error();
    if (parsed->refusal) return *parsed->refusal;
    return to_json(parsed->request);
  };
}

template <class Parse>
Again message(Parse parse) {
  return [parse](std::string_view text) -> Result<std::string> {
    auto parsed = parse(text);
    if (!parsed) return parsed.error();
    return to_json(*parsed);
  };
}

Result<std::string> sample_again(std::string_view text) {
  int bad_fields = 0;
  auto sample = parse_machine_sample(text, &bad_fields);
  if (!sample) return sample.error();
  if (bad_fields > 0) return invalid("sample.fields", "has bad fields");
  std::string out;
  append_json(*sample, out);
  return out;
}

const std::map<std::string, Again>& kinds() {
  static const std::map<std::string, Again> all{
      {"deployment_request", request(parse_deployment_request)},
      {"deployment_status", message(parse_deployment_status)},
      {"build_output", message(parse_build_output)},
      {"service_reply", message(parse_service_reply)},
      {"service_event", message(parse_service_event)},
      {"placement_request", request(parse_placement_request)},
      {"placement_reply", message(parse_placement_reply)},
      {"sensor_request", request(parse_sensor_request)},
      {"sensor_reply", message(parse_sensor_reply)},
      {"machine_request", request(parse_machine_request)},
      {"machine_reply", message(parse_machine_reply)},
      {"machine", message(parse_machine)},
      {"machine_state", message(parse_machine_state)},
      {"machine_sample", sample_again},
  };
  return all;
}

std::vector<fs::path> examples(const std::string& kind, const std::string& folder) {
  std::vector<fs::path> out;
  const fs::path path = contracts() / "examples/messages" / kind / folder;
  if (fs::exists(path))
    for (const auto& entry : fs::directory_iterator(path)) out.push_back(entry.path());
  std::sort(out.begin(), out.end());
  return out;
}

/// Empty if `document` keeps the schema of `kind`, else why not.
std::string schema_problems(const std::string& kind, const json& document) {
  const json text = json::parse(read_file(contracts() / "messages" / (kind + ".schema.json")));
  valijson::Schema schema;
  valijson::SchemaParser parser;
  parser.populateSchema(valijson::adapters::NlohmannJsonAdapter(text), schema);
  valijson::Validator validator;
  valijson::ValidationResults results;
  if (validator.validate(schema, valijson::adapters::NlohmannJsonAdapter(document), &results)) return {};
  std::string out;
  for (const auto& error : results) {
    for (const auto& part : error.context) out += part;
    out += ": " + error.description + "\n";
  }
  return out.empty() ? "does not keep the schema" : out;
}

class Examples : public testing::TestWithParam<std::string> {};

TEST_P(Examples, good_ones_are_taken_and_keep_the_schema) {
  const auto files = examples(GetParam(), "good");
  ASSERT_FALSE(files.empty());
  for (const auto& file : files) {
    SCOPED_TRACE(file);
    const std::string text = read_file(file);
    EXPECT_EQ(schema_problems(GetParam(), json::parse(text)), "");
    const auto again = kinds().at(GetParam())(text);
    ASSERT_TRUE(again) << to_string(again.error());
  }
}

TEST_P(Examples, what_we_write_keeps_the_schema_and_reads_the_same) {
  for (const auto& file : examples(GetParam(), "good")) {
    SCOPED_TRACE(file);
    const auto written = kinds().at(GetParam())(read_file(file));
    ASSERT_TRUE(written);
    EXPECT_EQ(schema_problems(GetParam(), json::parse(*written)), "") << *written;
    const auto twice = kinds().at(GetParam())(*written);
    ASSERT_TRUE(twice) << to_string(twice.error());
    EXPECT_EQ(*twice, *written);
  }
}

TEST_P(Examples, keep_what_they_say) {
  for (const auto& file : examples(GetParam(), "good")) {
    SCOPED_TRACE(file);
    const json before = json::parse(read_file(file));
    const json after = json::parse(kinds().at(GetParam())(read_file(file)).value());
    for (const char* member :
         {"request_id", "action",  "service_id", "path",    "seq",       "stage",   "state",
          "release",    "missing", "labels",     "cpu",     "mem",       "net",     "containers",
          "fs",         "facts",   "reason",     "refused", "unchanged", "serving", "correlation_id",
          "cancels",    "digest"})
      if (before.contains(member)) {
        EXPECT_EQ(after.value(member, json()), before[member]) << member;
      }
  }
}

TEST_P(Examples, bad_ones_are_refused_with_the_code_in_their_name) {
  for (const auto& file : examples(GetParam(), "bad")) {
    SCOPED_TRACE(file);
    const std::string stem = file.stem().string();
    const auto again = kinds().at(GetParam())(read_file(file));
    ASSERT_FALSE(again) << "taken as " << *again;
    EXPECT_EQ(again.error().code, stem.substr(0, stem.find("--"))) << to_string(again.error());
    EXPECT_EQ(again.error().kind, ErrorKind::kInvalid);
  }
}

std::vector<std::string> names() {
  std::vector<std::string> out;
  for (const auto& [name, again] : kinds()) out.push_back(name);
  return out;
}
INSTANTIATE_TEST_SUITE_P(messages, Examples, testing::ValuesIn(names()),
                         [](const auto& param) { return param.param; });

TEST(Contracts, have_examples_and_a_schema_for_every_message) {
  std::size_t schemas = 0;
  for (const auto& entry : fs::directory_iterator(contracts() / "messages")) {
    const std::string name = entry.path().filename().string();
    EXPECT_TRUE(kinds().contains(name.substr(0, name.find('.')))) << name;
    ++schemas;
  }
  EXPECT_EQ(schemas, kinds().size());
}

}  // namespace
}  // namespace slipway::messages
