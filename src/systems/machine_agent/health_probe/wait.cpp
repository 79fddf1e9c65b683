#include "systems/machine_agent/health_probe/wait.hpp"

#include <algorithm>
#include <stop_token>
#include <utility>

namespace slipway::health_probe {
namespace {

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  }
  return out + '"';
}

std::string event(std::string_view name, milliseconds after, const std::string& failure = {}) {
  auto line = "{\"event\":" + quoted(name) + ",\"after_ms\":" + std::to_string(after.count());
  if (!failure.empty()) line += ",\"failure\":" + quoted(failure);
  return line + '}';
}

/// The state between two checks.
class Wait {
 public:
  Wait(const WaitTimes& times, Clock& clock, const std::function<void(const std::string&)>& say)
      : times_(times), clock_(clock), say_(say), start_(clock.mono()) {}

  milliseconds passed() const { return std::chrono::floor<milliseconds>(clock_.mono() - start_); }
  milliseconds left() const { return std::max(times_.deadline - passed(), milliseconds{0}); }

  /// True when it was good for long enough. `asked`: when the check began.
  bool take(const Status& answer, MonoTime asked) {
    if (!answer) {
      good_ = false;
      failure_ = answer.error().message;
      if (failure_ != said_) say_(event("failing", passed(), failure_));
      said_ = failure_;
      return false;
    }
    if (!std::exchange(good_, true)) good_since_ = asked;
    if (!std::exchange(ever_good_, true)) say_(event("first_good", passed()));
    said_.clear();
    return clock_.mono() - good_since_ >= times_.healthy_for;
  }
  void pause() {
    auto pause = times_.eager;
    if (good_)  // so that the last check falls on the end of healthy_for
      pause = std::clamp(std::chrono::ceil<milliseconds>(good_since_ + times_.healthy_for - clock_.mono()),
                         milliseconds{1}, times_.steady);
    clock_.sleep(std::min(pause, left()), std::stop_token{});
  }
  void end(bool healthy) {
    if (healthy) return say_(event("healthy", passed()));
    say_(event("deadline", passed(),
               good_ ? "good answers, but not for long enough before the deadline" : failure_));
  }

 private:
  const WaitTimes& times_;
  Clock& clock_;
  const std::function<void(const std::string&)>& say_;
  const MonoTime start_;
  MonoTime good_since_{};
  bool good_ = false, ever_good_ = false;
  std::string failure_ = "not asked yet", said_;
};

}  // namespace

bool wait_until_healthy(const std::function<Status(milliseconds timeout)>& ask, const WaitTimes& times,
                        Clock& clock, const std::function<void(const std::string&)>& say) {
  Wait wait{times, clock, say};
  while (wait.left() > milliseconds{0}) {
    const auto asked = clock.mono();
    if (wait.take(ask(std::min(times.timeout, wait.left())), asked)) {
      wait.end(true);
      return true;
    }
    wait.pause();
  }
  wait.end(false);
  return false;
}

}  // namespace slipway::health_probe
