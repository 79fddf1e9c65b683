#include "ports/role_seat.hpp"

#include "base/backoff.hpp"

namespace slipway::ports {
namespace {

constexpr milliseconds kLookAtLease{100};

}  // namespace

RoleSeat::RoleSeat(Bus& bus, LeaseStore& leases, Clock& clock, Log log, Options options,
                   RequestLoop::Handler handle, std::function<Status()> taken)
    : bus_(bus),
      clock_(clock),
      log_(std::move(log)),
      options_(std::move(options)),
      handler_(std::move(handle)),
      taken_(std::move(taken)),
      lease_(leases, clock, log_, options_.role, options_.holder),
      worker_([this](const std::stop_token& stop) { run(stop); }) {}

RoleSeat::~RoleSeat() {
  worker_.stop();  // leaves the group, before the lease is given back
}

Status RoleSeat::handle(const Record& record) {
  if (!lease_.held())
    return unavailable("role.standby", "another process may hold the lease " + options_.role + " by now");
  return handler_(record);
}

void RoleSeat::run(const std::stop_token& stop) {
  std::unique_ptr<RequestLoop> requests;
  Backoff pause;
  do {
    if (!lease_.held()) {
      requests.reset();
    } else if (!requests) {
      if (const Status ready = taken_ ? taken_() : Status{}; !ready) {
        log_.warn("what comes first in the role " + options_.role + " failed", ready.error());
        if (ready.error().retryable()) {
          clock_.sleep(pause.next(), stop);
          continue;
        }
      }
      pause.reset();
      requests = std::make_unique<RequestLoop>(bus_, clock_, log_, options_.requests,
                                               [this](const Record& record) { return handle(record); });
    }
  } while (clock_.sleep(kLookAtLease, stop));
}

}  // namespace slipway::ports
