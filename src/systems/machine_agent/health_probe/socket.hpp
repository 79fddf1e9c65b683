#pragma once

#include <memory>
#include <string>
#include <vector>

#include <sys/socket.h>

#include "base/clock.hpp"
#include "base/result.hpp"

namespace slipway::health_probe {

/// Where to connect: one numeric address.
struct Address {
  sockaddr_storage storage{};
  socklen_t size = 0;
};

/// 127.0.0.1 and ::1, in this order.
std::vector<Address> local_addresses(std::uint16_t port);

/// Looks `host` up in /etc/hosts and DNS. The lookup has time-outs of its own (resolv.conf), not ours.
Result<std::vector<Address>> resolve(const std::string& host, std::uint16_t port);

/// A TCP connection whose every step ends at one deadline. One thread.
class Connection {
 public:
  /// The first of `addresses` that answers. unavailable: refused, unreachable, or not connected in time.
  static Result<Connection> open(const std::vector<Address>& addresses, Clock& clock, MonoTime deadline);
  Connection(Connection&& other) noexcept;
  Connection& operator=(Connection&&) = delete;
  ~Connection();

  Status send(std::string_view bytes, MonoTime deadline);
  /// Appends what comes next to `into`; false at the end of the stream.
  Result<bool> receive(std::string& into, MonoTime deadline);

 private:
  Connection(int fd, Clock& clock) : fd_(fd), clock_(&clock) {}
  Status connect(const Address& address, MonoTime deadline);
  /// Waits for `events` of poll(2).
  Status wait(short events, MonoTime deadline);

  int fd_;
  Clock* clock_;
};

}  // namespace slipway::health_probe
