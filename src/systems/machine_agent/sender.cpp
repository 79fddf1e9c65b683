#include "systems/machine_agent/sender.hpp"

#include <algorithm>

namespace slipway::machine_agent {
namespace {

constexpr milliseconds kSilence{5000};  // unconfirmed for so long: the broker counts as not reachable
constexpr milliseconds kSlice{100};

}  // namespace

Sender::Sender(ports::SampleTransport& transport, Clock& clock, Limits limits, Log log)
    : transport_(transport),
      clock_(clock),
      limits_(limits),
      log_(std::move(log)),
      spool_(limits.spool_bytes) {}

void Sender::put(std::int64_t seq, WallTime t, std::string_view json) {
  spool_.put(seq, t, json);
}

void Sender::run(milliseconds most) {
  const auto end = clock_.mono() + most;
  collect(milliseconds{0});
  hand_over();
  while (has_backlog() && state_.reachable) {
    const auto left = std::chrono::floor<milliseconds>(end - clock_.mono());
    if (left <= milliseconds{0}) return;
    collect(std::min(left, kSlice));
    hand_over();
  }
}

bool Sender::drain(milliseconds most) {
  const auto end = clock_.mono() + most;
  hand_over();
  while (spool_.size() > 0) {
    const auto left = std::chrono::floor<milliseconds>(end - clock_.mono());
    if (left <= milliseconds{0}) return false;
    collect(std::min(left, kSlice));
    hand_over();
  }
  return true;
}

void Sender::collect(milliseconds timeout) {
  transport_.poll(timeout, [this](std::int64_t seq, const Status& result) { report(seq, result); });
  if (spool_.sent() == 0) {
    waiting_since_.reset();
  } else if (!waiting_since_) {
    waiting_since_ = clock_.mono();
  } else if (clock_.mono() - *waiting_since_ > kSilence) {
    const auto health = transport_.health();
    set_reachable(false, health ? "no confirmation from the broker" : health.error().message);
  }
}

void Sender::report(std::int64_t seq, const Status& result) {
  if (result) {
    spool_.confirm(seq);
    waiting_since_.reset();
    state_.last_ack = clock_.now();
    set_reachable(true, "");
    return;
  }
  if (result.error().kind == ErrorKind::kInvalid) {
    log_.error("sample given up", result.error());
    spool_.give_up(seq);
    return;
  }
  spool_.take_back(seq);
  going_back_ = true;
  set_reachable(false, result.error().message);
}

void Sender::hand_over() {
  if (going_back_) {
    if (spool_.sent() > 0) return;
    going_back_ = false;
    retry_at_ = clock_.mono() + backoff_.next();
  }
  if (clock_.mono() < retry_at_) return;
  while (spool_.sent() < limits_.under_way) {
    auto* item = spool_.next();
    if (item == nullptr) return;
    const auto taken = transport_.send(item->seq, item->t, item->json);
    if (taken) {
      spool_.mark_sent(*item);
    } else if (taken.error().kind == ErrorKind::kInvalid) {
      report(item->seq, taken);
    } else {  // full, or refused for the time being: later
      if (taken.error().kind == ErrorKind::kDenied) set_reachable(false, taken.error().message);
      return;
    }
  }
}

void Sender::set_reachable(bool reachable, const std::string& problem) {
  if (reachable) backoff_.reset();
  state_.problem = problem;
  if (state_.since && state_.reachable == reachable) return;
  state_.reachable = reachable;
  state_.since = clock_.now();
  if (reachable)
    log_.info("broker reachable", {{"spooled", std::to_string(spool_.size())}});
  else
    log_.warn("broker not reachable", {{"error", problem}});
}

Sender::State Sender::state() const {
  State state = state_;
  state.spooled = spool_.size();
  state.bytes = spool_.bytes();
  if (spool_.size() > 0) state.oldest = spool_.oldest();
  state.dropped = spool_.dropped();
  return state;
}

}  // namespace slipway::machine_agent
