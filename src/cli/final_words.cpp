#include "cli/final_words.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <ostream>

#include "base/ids.hpp"
#include "base/text.hpp"
#include "base/time_text.hpp"
#include "base/url.hpp"
#include "cli/exit_code.hpp"
#include "cli/output.hpp"

namespace slipway::cli {
namespace {

using messages::DeploymentStatus;
using messages::State;
using nlohmann::json;

constexpr std::size_t kMostLines = 30;

std::string subject(const Story& story) {
  return story.version.empty() ? story.service_id : story.service_id + " " + story.version;
}

std::string on_machine(const Story& story, std::string_view word) {
  return story.machine.empty() ? std::string{} : fmt::format(" {} {}", word, story.machine);
}

std::string ended_how(State state) {
  switch (state) {
    case State::kFailed:
      return "Failed";
    case State::kRejected:
      return "Refused";
    default: {
      std::string word(to_string(state));
      word.front() = static_cast<char>(word.front() - 'a' + 'A');
      return word;
    }
  }
}

std::string serves_now(const DeploymentStatus& last) {
  if (last.serving) return fmt::format("release {} is serving", *last.serving);
  return "no release is serving: the service is down";
}

/// "open http://127.0.0.1:49153   watch slipway logs -f x   undo slipway rollback x"; best effort.
std::string next_steps(Api& api, const Story& story) {
  std::string line = "  ";
  const auto shown = api.get("/api/v1/services/" + percent_encode(story.service_id));
  if (shown && shown->contains("ports"))
    for (const json& port : (*shown)["ports"])
      if (const std::string address = text_of(port, "address"); !address.empty()) {
        line += "open http://" + escape_for_people(address) + "   ";
        break;
      }
  return line + fmt::format("watch slipway logs -f {0}   undo slipway rollback {0}\n", story.service_id);
}

/// A service that runs once shows what it had to say.
void print_last_lines(Session& session, Api& api, const Story& story, const DeploymentStatus& last) {
  std::vector<std::string> lines = last.error ? last.error->last_logs : std::vector<std::string>{};
  if (lines.empty()) {
    const auto logs = api.get("/api/v1/services/" + percent_encode(story.service_id) + "/logs?tail=30");
    if (logs && logs->contains("lines"))
      for (const json& line : (*logs)["lines"])
        if (line.is_string()) lines.push_back(line.get<std::string>());
  }
  for (const std::string& line : lines) session.world.out << "  | " << escape_for_people(line) << "\n";
}

void say_done(Session& session, Api& api, const Story& story, const DeploymentStatus& last,
              milliseconds took) {
  std::ostream& out = session.world.out;
  if (last.state == State::kCompleted) {
    out << fmt::format("{}{} ran and completed in {}.\n", subject(story), on_machine(story, "on"),
                       to_human(took));
    print_last_lines(session, api, story, last);
    return;
  }
  if (last.unchanged) {
    out << fmt::format("{}{} is unchanged: nothing was touched ({}).\n", subject(story),
                       on_machine(story, "on"), to_human(took));
  } else {
    out << fmt::format("{} {}{} in {}.\n", story.done, subject(story),
                       on_machine(story, story.done == "Deployed" ? "to" : "on"), to_human(took));
  }
  if (last.state == State::kWarning) out << "  warning  " << escape_for_people(last.message) << "\n";
  if (story.done == "Deployed" || story.done == "Rolled back") out << next_steps(api, story);
}

}  // namespace

std::string failure_text(const Story& story, const DeploymentStatus& last, milliseconds took) {
  std::string text =
      fmt::format("{}: {}{}{} after {} ({})\n", ended_how(last.state), subject(story),
                  on_machine(story, "on"), last.error_stage.empty() ? "" : " at stage " + last.error_stage,
                  to_human(took), short_id(last.request_id));
  if (last.error) {
    text += fmt::format("  why    {} ({})\n", escape_for_people(last.error->message), last.error->code);
    if (!last.error->where.empty())
      text += fmt::format("  at     {}\n", escape_for_people(last.error->where));
    const auto& lines = last.error->last_logs;
    const std::size_t first = lines.size() > kMostLines ? lines.size() - kMostLines : 0;
    if (!lines.empty()) text += "  last lines\n";
    for (std::size_t i = first; i < lines.size(); ++i) text += "    | " + escape_for_people(lines[i]) + "\n";
  } else if (!last.message.empty()) {
    text += fmt::format("  why    {}\n", escape_for_people(last.message));
  }
  text += "  now    " + serves_now(last) + "\n";
  const std::string look = fmt::format("slipway show {0}   slipway logs {0}", story.service_id);
  const std::string advice = last.error && !last.error->hint.empty() ? last.error->hint : look;
  text += "  to do  " + escape_for_people(advice) + "\n";
  if (advice != look) text += "         " + look + "\n";
  return text;
}

int say_final(Session& session, Api& api, Progress* progress, const Story& story,
              const DeploymentStatus& last) {
  if (progress != nullptr) progress->finish();
  const ExitCode code = exit_code(last);
  const milliseconds took = std::max(milliseconds{0}, session.world.clock.now() - story.begun);
  if (!session.for_people() && session.format != Format::kName) {
    json value = messages::to_value(last);
    value["exit_code"] = static_cast<int>(code);
    write_value(session, value);
  } else if (code == ExitCode::kDone) {
    say_done(session, api, story, last, took);
  }
  if (code != ExitCode::kDone && !session.events()) session.world.err << failure_text(story, last, took);
  return static_cast<int>(code);
}

}  // namespace slipway::cli
