#include "cli/progress.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <ostream>
#include <utility>

#include "base/text.hpp"
#include "base/time_text.hpp"
#include "cli/output.hpp"

namespace slipway::cli {
namespace {

using State = ProgressRow::State;

constexpr milliseconds kTick{100};
constexpr std::size_t kLabelWidth = 10;
constexpr std::size_t kTookWidth = 10;
constexpr std::array<std::string_view, 10> kSpinner{"⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"};
constexpr std::array<std::string_view, 4> kAsciiSpinner{"-", "\\", "|", "/"};

std::string_view mark(State state, std::size_t frame, bool unicode) {
  switch (state) {
    case State::kDone:
      return unicode ? "✓" : "+";
    case State::kWarning:
      return "!";
    case State::kFailed:
      return unicode ? "✗" : "x";
    case State::kWaiting:
      return unicode ? "…" : ".";
    case State::kRunning:
      break;
  }
  return unicode ? kSpinner[frame % kSpinner.size()] : kAsciiSpinner[frame % kAsciiSpinner.size()];
}

std::string_view colour_of(State state) {
  switch (state) {
    case State::kDone:
      return "\x1b[32m";
    case State::kWarning:
      return "\x1b[33m";
    case State::kFailed:
      return "\x1b[31m";
    default:
      return "\x1b[36m";
  }
}

std::string_view word(State state) {
  switch (state) {
    case State::kDone:
      return "done";
    case State::kWarning:
      return "warning";
    case State::kFailed:
      return "failed";
    case State::kWaiting:
      return "waiting";
    case State::kRunning:
      break;
  }
  return "running";
}

ProgressMode resolve(const Session& session) {
  if (session.progress != ProgressMode::kAuto) return session.progress;
  const auto term = session.world.env("TERM");
  const bool dumb = !term || term->empty() || *term == "dumb";
  return session.world.err_is_terminal && !dumb ? ProgressMode::kTty : ProgressMode::kPlain;
}

}  // namespace

std::string render_row(const ProgressRow& row, WallTime now, std::size_t frame, const ProgressLook& look) {
  const milliseconds took = row.took.value_or(std::max(milliseconds{0}, now - row.since));
  const std::string time = row.state == State::kWaiting && !row.took ? "" : to_human(took);
  const std::size_t fixed = 4 + kLabelWidth + 1 + kTookWidth;
  const std::size_t room = look.width > fixed + 10 ? look.width - fixed : 10;
  std::string sign(mark(row.state, frame, look.unicode));
  if (look.colour) sign = std::string(colour_of(row.state)) + sign + "\x1b[0m";
  std::string line = fmt::format("  {} {} {}", sign, fit(row.label, kLabelWidth, look.unicode),
                                 fit(escape_for_people(row.detail), room, look.unicode));
  const std::size_t width = shown_width(time);
  line += std::string(kTookWidth > width ? kTookWidth - width : 1, ' ') + time;
  line.erase(line.find_last_not_of(' ') + 1);
  return line;
}

Progress::Progress(Session& session, std::string title)
    : session_(session), mode_(resolve(session)), title_(std::move(title)) {
  const int columns = std::clamp(session.world.columns, 40, 100);
  look_ = {static_cast<std::size_t>(columns - 2), session.unicode, session.colour};
  if (mode_ == ProgressMode::kPlain && !title_.empty())
    session_.world.err << escape_for_people(title_) << "\n" << std::flush;
  if (mode_ != ProgressMode::kTty) return;
  ticker_ = std::make_unique<Worker>([this](const std::stop_token& stop) {
    do {
      const std::scoped_lock lock(mutex_);
      ++frame_;
      draw();
    } while (session_.world.clock.sleep(kTick, stop));
  });
}

Progress::~Progress() {
  finish();
}

void Progress::finish() {
  if (!ticker_) return;
  ticker_.reset();
  const std::scoped_lock lock(mutex_);
  draw();
  drawn_ = 0;
}

void Progress::erase() {
  std::ostream& err = session_.world.err;
  if (drawn_ > 0) err << "\x1b[" << drawn_ << "A\r\x1b[J";
  drawn_ = 0;
}

void Progress::draw() {
  erase();
  std::string picture;
  if (!title_.empty()) {
    picture +=
        fit(escape_for_people(title_), std::min(look_.width, shown_width(title_)), look_.unicode) + "\n";
    ++drawn_;
  }
  for (const ProgressRow& row : rows_) {
    picture += render_row(row, session_.world.clock.now(), frame_, look_) + "\n";
    ++drawn_;
  }
  session_.world.err << picture << std::flush;
}

void Progress::print_plain(const ProgressRow& row) {
  std::string line =
      fmt::format("  {:<10} {:<8} {}", row.label, word(row.state), escape_for_people(row.detail));
  if (row.took) line += fmt::format("  ({})", to_human(*row.took));
  line.erase(line.find_last_not_of(' ') + 1);
  session_.world.err << line << "\n" << std::flush;
}

void Progress::print_event(const ProgressRow& row) {
  nlohmann::json data = {{"step", row.label}, {"state", word(row.state)}, {"detail", row.detail}};
  if (row.took) data["took_ms"] = row.took->count();
  say_event(session_, "step", data);
}

void Progress::set_title(std::string title) {
  const std::scoped_lock lock(mutex_);
  title_ = std::move(title);
}

void Progress::set(const std::string& label, State state, std::string detail,
                   std::optional<milliseconds> took) {
  const std::scoped_lock lock(mutex_);
  auto row = std::ranges::find(rows_, label, &ProgressRow::label);
  const bool fresh = row == rows_.end();
  if (fresh) row = rows_.insert(rows_.end(), ProgressRow{label, state, {}, session_.world.clock.now(), {}});
  const bool changed = fresh || row->state != state || row->detail != detail;
  row->state = state;
  row->detail = std::move(detail);
  const bool ended = state != State::kRunning && state != State::kWaiting;
  if (ended) row->took = took ? *took : std::max(milliseconds{0}, session_.world.clock.now() - row->since);
  if (mode_ == ProgressMode::kTty) draw();
  if (mode_ == ProgressMode::kPlain && changed) print_plain(*row);
  if (mode_ == ProgressMode::kJson && changed) print_event(*row);
}

void Progress::hint(const std::string& label, std::string detail) {
  const std::scoped_lock lock(mutex_);
  const auto row = std::ranges::find(rows_, label, &ProgressRow::label);
  if (row != rows_.end() && row->state == State::kRunning && mode_ == ProgressMode::kTty)
    row->detail = std::move(detail);
}

void Progress::note(const std::string& text) {
  const std::scoped_lock lock(mutex_);
  if (mode_ == ProgressMode::kQuiet) return;
  if (mode_ == ProgressMode::kJson) return say_note(session_, text);
  if (mode_ == ProgressMode::kTty) erase();
  session_.world.err << escape_for_people(text) << "\n" << std::flush;
  if (mode_ == ProgressMode::kTty) draw();
}

}  // namespace slipway::cli
