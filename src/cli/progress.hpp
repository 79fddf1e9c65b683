#pragma once

#include <condition_variable>
#include <iosfwd>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/thread.hpp"
#include "cli/session.hpp"

namespace slipway::cli {

/// One line of a progress display.
struct ProgressRow {
  enum class State { kRunning, kWaiting, kDone, kWarning, kFailed };
  std::string label;  ///< "Build"
  State state = State::kRunning;
  std::string detail;  ///< "4/4 steps, 2 cached"
  WallTime since{};
  std::optional<milliseconds> took;  ///< none while it goes on
};

/// How rows look; pure.
struct ProgressLook {
  std::size_t width = 78;
  bool unicode = true;
  bool colour = false;
};
std::string render_row(const ProgressRow& row, WallTime now, std::size_t frame, const ProgressLook& look);

/// Shows stages on standard error: redrawn in place on a terminal, a line per change otherwise (JSON where
/// that is wanted), nothing when quiet. Any thread may call; the destructor leaves the last picture.
class Progress {
 public:
  Progress(Session& session, std::string title);
  ~Progress();
  Progress(const Progress&) = delete;  // the ticker has its address
  Progress& operator=(const Progress&) = delete;

  void set_title(std::string title);
  /// Adds the row, or changes the one with this label.
  void set(const std::string& label, ProgressRow::State state, std::string detail,
           std::optional<milliseconds> took = {});
  /// What a running row is doing right now; shown in place only, never a line of its own.
  void hint(const std::string& label, std::string detail);
  /// Draws the last picture and stops; what is written afterwards stands below it.
  void finish();
  /// A line of its own.
  void note(const std::string& text);

 private:
  void draw();
  void erase();
  void print_plain(const ProgressRow& row);
  void print_event(const ProgressRow& row);

  Session& session_;
  ProgressMode mode_;
  ProgressLook look_;
  std::mutex mutex_;
  std::string title_;
  std::vector<ProgressRow> rows_;
  std::size_t drawn_ = 0;  ///< lines on the terminal that belong to us
  std::size_t frame_ = 0;
  std::unique_ptr<Worker> ticker_;  // last: uses all the others
};

}  // namespace slipway::cli
