#include "cli/follow.hpp"

#include <fmt/format.h>

#include <map>
#include <nlohmann/json.hpp>
#include <ostream>
#include <utility>

#include "base/backoff.hpp"
#include "base/ids.hpp"
#include "base/text.hpp"
#include "base/thread.hpp"
#include "base/time_text.hpp"
#include "base/url.hpp"
#include "cli/final_words.hpp"
#include "cli/output.hpp"
#include "messages/deployment_status.hpp"

namespace slipway::cli {
namespace {

using messages::DeploymentStatus;
using messages::Stage;
using messages::State;
using nlohmann::json;

constexpr milliseconds kMostOutage{120'000};

std::string label_of(Stage stage) {
  switch (stage) {
    case Stage::kAccepted:
      return "Accept";
    case Stage::kFetched:
      return "Fetch";
    case Stage::kValidated:
      return "Check";
    case Stage::kBuilt:
      return "Build";
    case Stage::kAgentReady:
      return "Agent";
    case Stage::kBound:
      return "Sensors";
    case Stage::kStarted:
      return "Start";
    case Stage::kHealthy:
      return "Healthy";
    case Stage::kFlowing:
      return "Flowing";
    case Stage::kDone:
      return "Done";
  }
  return {};
}

ProgressRow::State row_state(State state) {
  switch (state) {
    case State::kRunning:
      return ProgressRow::State::kRunning;
    case State::kWaiting:
      return ProgressRow::State::kWaiting;
    case State::kSucceeded:
    case State::kCompleted:
      return ProgressRow::State::kDone;
    case State::kWarning:
      return ProgressRow::State::kWarning;
    default:
      return ProgressRow::State::kFailed;
  }
}

/// Shows the statuses of one request as they come, in order and each once.
class Viewer {
 public:
  Viewer(Session& session, Story& story, Progress* progress)
      : session_(session), story_(story), progress_(progress) {}

  /// True when this was the final one.
  bool show(const DeploymentStatus& status) {
    if (status.seq <= last_seq_) return last_.has_value();
    last_seq_ = status.seq;
    learn(status);
    if (session_.events()) say_event(session_, "status", messages::to_value(status));
    if (status.final) {
      last_ = status;
      fail_open_row(status);
      return true;
    }
    if (draws() && is_news(status)) show_row(status);
    return false;
  }
  void show_output(const std::string& text) {
    if (progress_ != nullptr) progress_->hint(label_of(Stage::kBuilt), text);
  }
  const std::optional<DeploymentStatus>& last() const { return last_; }

 private:
  /// With --progress json the statuses themselves are shown, and no rows made of them.
  bool draws() const { return progress_ != nullptr && !session_.events(); }
  void learn(const DeploymentStatus& status) {
    if (!status.machine.empty()) story_.machine = status.machine;
    if (status.release && status.stage >= Stage::kStarted) release_ = status.release;
    if (progress_ != nullptr) progress_->set_title(title_of(story_, release_));
  }
  /// Accepting, fetching and checking what was validated here a moment ago is news only if it takes its time.
  bool is_news(const DeploymentStatus& status) const {
    if (status.stage > Stage::kValidated) return true;
    const bool dull = status.state == State::kSucceeded || status.state == State::kRunning;
    return !dull || (!story_.local_source && status.stage != Stage::kAccepted);
  }
  void show_row(const DeploymentStatus& status) {
    const std::string label = label_of(status.stage);
    std::string text = status.message;
    if (status.error) text = status.error->message;
    open_ = row_state(status.state) == ProgressRow::State::kRunning ? label : "";
    progress_->set(label, row_state(status.state), std::move(text), status.took);
  }
  void fail_open_row(const DeploymentStatus& status) {
    if (!draws() || !status.error) return;
    std::string label = open_;
    if (const auto stage = messages::parse_stage(status.error_stage)) label = label_of(*stage);
    if (!label.empty()) progress_->set(label, ProgressRow::State::kFailed, status.error->message);
  }

  Session& session_;
  Story& story_;
  Progress* progress_;
  std::int64_t last_seq_ = 0;
  std::optional<std::int64_t> release_;
  std::string open_;  ///< label of the row that goes on
  std::optional<DeploymentStatus> last_;
};

int say_interrupted(Session& session, const Story& story) {
  if (session.events()) {
    say_event(session, "interrupted", {{"request_id", story.request_id}});
    return static_cast<int>(ExitCode::kInterrupted);
  }
  session.world.err << fmt::format(
      "Interrupted: {} goes on without you.\n  follow  slipway follow {}\n  cancel  slipway cancel {}\n",
      short_id(story.request_id), story.request_id, story.request_id);
  return static_cast<int>(ExitCode::kInterrupted);
}

int say_unknown(Session& session, const Story& story, const std::string& why) {
  if (session.events()) {
    say_event(session, "unknown", {{"request_id", story.request_id}, {"why", why}});
    return static_cast<int>(ExitCode::kDeadline);
  }
  session.world.err << fmt::format("The outcome of {} is not known: {}\n  follow  slipway follow {}\n",
                                   short_id(story.request_id), escape_for_people(why), story.request_id);
  return static_cast<int>(ExitCode::kDeadline);
}

/// Stops a stream when the user interrupts or the deadline passes.
class Watchdog {
 public:
  Watchdog(Clock& clock, milliseconds left, std::stop_token interrupted)
      : on_interrupt_(std::move(interrupted), [this] { ended_.request_stop(); }),
        worker_([this, &clock, left](const std::stop_token& stop) {
          if (clock.sleep(left, stop)) ended_.request_stop();
        }) {}
  std::stop_token token() const { return ended_.get_token(); }

 private:
  std::stop_source ended_;
  std::stop_callback<std::function<void()>> on_interrupt_;
  Worker worker_;
};

}  // namespace

std::string title_of(const Story& story, std::optional<std::int64_t> release) {
  std::string title = story.service_id;
  if (!story.version.empty()) title += " " + story.version;
  if (!story.machine.empty()) title += " -> " + story.machine;
  if (!story.runtime.empty()) title += "   " + story.runtime;
  if (release) title += fmt::format("   release {}", *release);
  return title + "   " + short_id(story.request_id);
}

int follow(Session& session, Api& api, Progress* progress, Story story) {
  Clock& clock = session.world.clock;
  const MonoTime begun = clock.mono();
  MonoTime heard = begun;
  Viewer viewer(session, story, progress);
  Backoff backoff;
  const std::string id = percent_encode(story.request_id);
  const std::string target = "/api/v1/stream?topics=deployment:" + id + ",output:" + id;
  const auto on_event = [&](std::string_view event, const json& data) {
    heard = clock.mono();
    backoff.reset();
    if (event == "output") viewer.show_output(text_of(data, "text"));
    if (event != "status") return true;
    const auto status = messages::status_from_value(data);
    return !status || !viewer.show(*status);
  };
  while (!viewer.last()) {
    const auto left = std::chrono::duration_cast<milliseconds>(story.deadline - (clock.mono() - begun));
    if (left <= milliseconds{0}) return say_unknown(session, story, "the deadline has passed");
    Watchdog watchdog(clock, left, session.world.interrupted);
    const Status streamed = api.stream(target, on_event, watchdog.token());
    if (session.world.interrupted.stop_requested()) return say_interrupted(session, story);
    if (streamed || viewer.last()) continue;
    if (!streamed.error().retryable()) return fail(session, streamed.error());
    if (clock.mono() - heard > kMostOutage) return say_unknown(session, story, streamed.error().message);
    clock.sleep(backoff.next(), session.world.interrupted);
  }
  return say_final(session, api, progress, story, *viewer.last());
}

int send_and_follow(Session& session, Api& api, Progress* progress,
                    const messages::DeploymentRequest& request, Story story) {
  if (session.events()) say_event(session, "request", json::parse(messages::to_json(request)));
  const auto reply = api.post("/api/v1/services/requests", messages::to_json(request));
  if (!reply) {
    if (reply.error().code == "interrupted") return say_interrupted(session, story);
    return fail(session, reply.error());
  }
  return follow(session, api, progress, std::move(story));
}

}  // namespace slipway::cli
