#include "ports/role_lease.hpp"

#include <mutex>
#include <optional>

#include "base/ids.hpp"

namespace slipway::ports {
namespace {

constexpr std::chrono::seconds kBeat{5};
constexpr std::chrono::seconds kLook{1};  // how often one that waits looks
constexpr std::chrono::seconds kDeadAfter{30};
constexpr std::chrono::seconds kSureFor{20};

bool same(const Lease& a, const Lease& b) {
  return a.holder == b.holder && a.epoch == b.epoch && a.beat == b.beat;
}

}  // namespace

struct RoleLease::State {
  State(LeaseStore& a_store, Clock& a_clock, Log a_log, std::string a_name, std::string a_holder)
      : store(a_store),
        clock(a_clock),
        log(std::move(a_log)),
        name(std::move(a_name)),
        holder(a_holder.empty() ? make_uuid() : std::move(a_holder)) {}

  LeaseStore& store;
  Clock& clock;
  const Log log;
  const std::string name, holder;

  mutable std::mutex mutex;
  std::optional<MonoTime> sure_until;  // guarded by mutex

  // The worker's own.
  std::optional<Lease> mine;
  std::optional<Lease> seen;  // somebody else's
  MonoTime unchanged_since{};

  void set_sure(std::optional<MonoTime> until) {
    std::lock_guard lock(mutex);
    sure_until = until;
  }

  void renew() {
    const MonoTime asked_at = clock.mono();
    const auto renewed = store.renew(*mine);
    if (!renewed) {
      log.warn("the lease " + name + " could not be renewed, trying again", renewed.error());
      return;  // runs out by itself
    }
    if (*renewed) {
      ++mine->beat;
      set_sure(asked_at + kSureFor);
    } else {
      log.warn("the lease " + name + " was taken by another process");
      set_sure(std::nullopt);
      mine.reset();
    }
  }

  void try_to_take() {
    const MonoTime asked_at = clock.mono();
    const auto found = store.find(name);
    if (!found) return;  // the store is away: others say so
    const auto& lease = *found;
    if (lease && lease->holder != holder && !lease->holder.empty()) {
      if (!seen || !same(*seen, *lease)) {
        seen = lease;
        unchanged_since = asked_at;
      }
      if (asked_at - unchanged_since < kDeadAfter) return;
    }
    const auto taken = store.take(name, holder, lease);
    if (!taken || !*taken) return;
    mine = **taken;
    seen.reset();
    set_sure(asked_at + kSureFor);
    log.info("the lease " + name + " is held");
  }
};

RoleLease::RoleLease(LeaseStore& store, Clock& clock, Log log, std::string name, std::string holder)
    : state_(std::make_unique<State>(store, clock, std::move(log), std::move(name), std::move(holder))),
      worker_([this](const std::stop_token& stop) { run(stop); }) {}

RoleLease::~RoleLease() {
  worker_.stop();
}

bool RoleLease::held() const {
  std::lock_guard lock(state_->mutex);
  return state_->sure_until && state_->clock.mono() < *state_->sure_until;
}

void RoleLease::run(const std::stop_token& stop) {
  State& state = *state_;
  do {
    if (state.mine)
      state.renew();
    else
      state.try_to_take();
  } while (state.clock.sleep(state.mine ? kBeat : kLook, stop));
  if (!state.mine) return;
  state.set_sure(std::nullopt);
  if (const auto given = state.store.give_back(*state.mine); !given)
    state.log.warn("the lease " + state.name + " could not be given back", given.error());
}

}  // namespace slipway::ports
