#pragma once

#include <functional>
#include <memory>
#include <string>

#include "ports/request_loop.hpp"
#include "ports/role_lease.hpp"

namespace slipway::ports {

/// A role that is played by one process at a time: it holds the lease, and only who holds it is a member of
/// the role's consumer group. The others wait; their partitions would get no answer. Everything handed in
/// must outlive it.
class RoleSeat {
 public:
  /// Names the lease too. An empty `holder` gets a random name: see RoleLease.
  struct Options {
    std::string role;
    std::string holder;
    RequestLoop::Options requests;
  };
  /// A record is handed over only while the lease is held. `taken` is called each time it was taken, on the
  /// seat's own thread, before the group is joined; again after a pause if it fails with a retryable error.
  RoleSeat(Bus& bus, LeaseStore& leases, Clock& clock, Log log, Options options, RequestLoop::Handler handle,
           std::function<Status()> taken = {});
  ~RoleSeat();
  /// Cheap; any thread may ask, before each effect.
  bool held() const { return lease_.held(); }

 private:
  void run(const std::stop_token& stop);
  Status handle(const Record& record);

  Bus& bus_;
  Clock& clock_;
  const Log log_;
  const Options options_;
  const RequestLoop::Handler handler_;
  const std::function<Status()> taken_;
  RoleLease lease_;
  Worker worker_;  // last: its body uses all the others
};

}  // namespace slipway::ports
