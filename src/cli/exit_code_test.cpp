#include "cli/exit_code.hpp"

#include <gtest/gtest.h>

namespace slipway::cli {
namespace {

using messages::State;

struct Row {
  const char* name;
  State state;
  const char* stage;  ///< that failed
  std::optional<Error> error;
  std::optional<std::int64_t> serving;
  int code;
};

class FinalStatus : public testing::TestWithParam<Row> {};

TEST_P(FinalStatus, has_the_exit_code_of_its_row) {
  const Row& row = GetParam();
  messages::DeploymentStatus last;
  last.final = true;
  last.stage = messages::Stage::kDone;
  last.state = row.state;
  last.error_stage = row.stage;
  last.error = row.error;
  last.serving = row.serving;
  EXPECT_EQ(static_cast<int>(exit_code(last)), row.code);
}

INSTANTIATE_TEST_SUITE_P(
    Table, FinalStatus,
    testing::Values(
        Row{"succeeded", State::kSucceeded, "", {}, 7, 0}, Row{"warning", State::kWarning, "", {}, 7, 0},
        Row{"completed", State::kCompleted, "", {}, 7, 0},
        Row{"bad_meta", State::kFailed, "validated", invalid("meta.unknown_key", ""), 6, 2},
        Row{"bad_archive", State::kFailed, "fetched", invalid("archive.path_escape", ""), {}, 2},
        Row{"not_yet", State::kRejected, "accepted", invalid("request.not_yet", ""), {}, 2},
        Row{"no_source", State::kFailed, "fetched", not_found("source.not_found", ""), 6, 3},
        Row{"no_service", State::kRejected, "accepted", not_found("service.not_found", ""), {}, 3},
        Row{"machine_refuses", State::kFailed, "validated", denied("machine.not_allowed", ""), 6, 4},
        Row{"no_repository", State::kFailed, "fetched", unavailable("repository.unreachable", ""), 6, 5},
        Row{"build", State::kFailed, "built", invalid("build.failed", ""), 6, 6},
        Row{"build_first", State::kFailed, "built", unavailable("engine.unreachable", ""), {}, 6},
        Row{"died_old_serves", State::kFailed, "healthy", invalid("container.died", ""), 6, 7},
        Row{"died_first", State::kFailed, "started", invalid("container.died", ""), {}, 8},
        Row{"agent_old_serves", State::kFailed, "agent_ready", unavailable("agent.silent", ""), 6, 7},
        Row{"sensors_first", State::kFailed, "bound", conflict("sensor.missing", ""), {}, 8},
        Row{"started_not_found", State::kFailed, "started", not_found("engine.no_image", ""), {}, 8},
        Row{"stale", State::kStale, "", {}, 6, 10}, Row{"superseded", State::kSuperseded, "", {}, 6, 10},
        Row{"cancelled", State::kCancelled, "", {}, 6, 10}, Row{"expired", State::kExpired, "", {}, {}, 10},
        Row{"refused", State::kRejected, "accepted", conflict("request.conflict", ""), 6, 10},
        Row{"not_final", State::kRunning, "", {}, {}, 9}),
    [](const auto& row) { return std::string(row.param.name); });

TEST(ExitCode, of_an_error_says_what_the_caller_can_do) {
  EXPECT_EQ(exit_code(invalid("a", "")), ExitCode::kUsage);
  EXPECT_EQ(exit_code(not_found("a", "")), ExitCode::kNotFound);
  EXPECT_EQ(exit_code(denied("a", "")), ExitCode::kDenied);
  EXPECT_EQ(exit_code(unavailable("a", "")), ExitCode::kUnreachable);
  EXPECT_EQ(exit_code(Error{ErrorKind::kUnknown, "request.unanswered", ""}), ExitCode::kDeadline);
  EXPECT_EQ(exit_code(conflict("a", "")), ExitCode::kNothingTouched);
  EXPECT_EQ(exit_code(internal_error("a", "")), ExitCode::kUnexpected);
  EXPECT_EQ(exit_code(unavailable("interrupted", "")), ExitCode::kInterrupted);
}

TEST(ExitCode, numbers_are_those_of_the_documented_table) {
  EXPECT_EQ(static_cast<int>(ExitCode::kDeadline), 9);
  EXPECT_EQ(static_cast<int>(ExitCode::kPlanFoundChanges), 20);
  EXPECT_EQ(static_cast<int>(ExitCode::kInterrupted), 130);
}

}  // namespace
}  // namespace slipway::cli
