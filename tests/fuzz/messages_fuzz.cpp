#include <gtest/gtest.h>

#include "base/text.hpp"
#include "messages/deployment_request.hpp"
#include "messages/deployment_status.hpp"
#include "messages/machine.hpp"
#include "messages/machine_sample.hpp"
#include "messages/placement.hpp"
#include "messages/sensor.hpp"
#include "messages/service_event.hpp"
#include "messages/strict_json.hpp"
#include "tests/fuzz/fuzz.hpp"

namespace slipway::messages {
namespace {

const RecordPlace kPlace{"cluster", "topic", 3, 17, 1'795'348'000'000};

void check_error(const Error& error) {
  EXPECT_EQ(error.kind, ErrorKind::kInvalid) << to_string(error);
  EXPECT_TRUE(error.code.starts_with("json.") || error.code.starts_with("request.") ||
              error.code.starts_with("message.") || error.code.starts_with("sample."))
      << error.code;
  if (error.code.starts_with("json.")) {
    EXPECT_FALSE(error.where.empty()) << to_string(error);
  }
  EXPECT_FALSE(find_invalid_utf8(to_string(error))) << escape_for_people(to_string(error));
}

// What is taken is written as one text, and read again as the same.
template <class Parse>
void check_message(Parse parse, const std::string& text) {
  const auto parsed = parse(text);
  if (!parsed) return check_error(parsed.error());
  const std::string written = to_json(*parsed);
  const auto again = parse(written);
  ASSERT_TRUE(again) << to_string(again.error()) << "\n" << written;
  EXPECT_EQ(to_json(*again), written);
}

template <class Parse>
void check_request(Parse parse, const std::string& text) {
  const auto parsed = parse(text, std::nullopt, kPlace);
  if (!parsed) return check_error(parsed.error());
  EXPECT_TRUE(is_question_id(parsed->request.request_id));
  if (parsed->refusal) return check_error(*parsed->refusal);
  const std::string written = to_json(parsed->request);
  const auto again = parse(written, std::nullopt, kPlace);
  ASSERT_TRUE(again) << to_string(again.error()) << "\n" << written;
  ASSERT_FALSE(again->refusal) << to_string(*again->refusal) << "\n" << written;
  EXPECT_EQ(to_json(again->request), written);
}

void check_sample(const std::string& text) {
  const auto sample = parse_machine_sample(text);
  if (!sample) return check_error(sample.error());
  std::string written;
  append_json(*sample, written);
  const auto again = parse_machine_sample(written);
  ASSERT_TRUE(again) << to_string(again.error()) << "\n" << written;
  std::string twice;
  append_json(*again, twice);
  EXPECT_EQ(twice, written);
}

void check(const std::string& text) {
  check_request(parse_deployment_request, text);
  check_request(parse_sensor_request, text);
  check_request(parse_machine_request, text);
  check_request(parse_placement_request, text);
  check_message(parse_deployment_status, text);
  check_message(parse_sensor_reply, text);
  check_message(parse_placement_reply, text);
  check_message(parse_machine_reply, text);
  check_message(parse_machine, text);
  check_message(parse_machine_state, text);
  check_message(parse_service_event, text);
  check_message(parse_service_reply, text);
  check_message(parse_build_output, text);
  check_sample(text);
}

TEST(Fuzz, a_message_is_refused_or_reads_the_same_twice) {
  fuzz::run({.name = "messages",
             .corpus = fuzz::files_of("contracts/examples/messages"),
             .words = {"{",
                       "}",
                       "[",
                       "]",
                       ",",
                       ":",
                       "\"",
                       "\\",
                       "\\u0000",
                       "\\ud800",
                       "null",
                       "true",
                       "1e400",
                       "-0",
                       "1e308",
                       "0.1",
                       "99999999999999999999",
                       "9223372036854775807",
                       "-1",
                       "NaN",
                       "\xff",
                       "\u202e",
                       "\xef\xbb\xbf",
                       " ",
                       "\n",
                       "\"request_id\":",
                       "\"service_id\":",
                       "\"action\":",
                       "\"machine\":",
                       "\"sensors\":",
                       "\"sensor\":",
                       "\"fields\":",
                       "\"topics\":",
                       "\"error\":",
                       "\"stage\":",
                       "\"containers\":",
                       "\"cpu\":",
                       "\"t\":",
                       "\"seq\":",
                       "\"../x\"",
                       "{\"$ne\":null}",
                       "\"2026-11-22T20:00:00Z\"",
                       "\"9999-12-31T23:59:60+99:99\""},
             .rounds = 12'000,
             .check = check});
}

}  // namespace
}  // namespace slipway::messages
