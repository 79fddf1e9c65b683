#include "systems/machine_agent/health_probe/socket.hpp"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <nss.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

namespace slipway::health_probe {
namespace {

constexpr std::size_t kChunk = 4096;

Error failed(int error) {
  switch (error) {
    case ECONNREFUSED:
      return unavailable("probe.refused", "connection refused");
    case ETIMEDOUT:
      return unavailable("probe.timeout", "no answer in time");
    default:
      return unavailable("probe.connection", std::strerror(error));
  }
}

template <class SocketAddress>
Address to_address(const SocketAddress& from) {
  Address address;
  std::memcpy(&address.storage, &from, sizeof(from));
  address.size = sizeof(from);
  return address;
}

}  // namespace

std::vector<Address> local_addresses(std::uint16_t port) {
  sockaddr_in v4{};
  v4.sin_family = AF_INET;
  v4.sin_port = htons(port);
  v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  sockaddr_in6 v6{};
  v6.sin6_family = AF_INET6;
  v6.sin6_port = htons(port);
  v6.sin6_addr = in6addr_loopback;
  return {to_address(v4), to_address(v6)};
}

Result<std::vector<Address>> resolve(const std::string& host, std::uint16_t port) {
  // A static program must not load the name services that the image around it configures.
  ::__nss_configure_lookup("hosts", "files dns");
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int code = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found);
  if (code != 0) return unavailable("probe.resolve", "cannot find " + host + ": " + ::gai_strerror(code));
  std::vector<Address> addresses;
  for (const auto* entry = found; entry != nullptr; entry = entry->ai_next) {
    Address address;
    std::memcpy(&address.storage, entry->ai_addr, entry->ai_addrlen);
    address.size = entry->ai_addrlen;
    addresses.push_back(address);
  }
  ::freeaddrinfo(found);
  return addresses;
}

Result<Connection> Connection::open(const std::vector<Address>& addresses, Clock& clock, MonoTime deadline) {
  Status first = unavailable("probe.connection", "no address");
  for (std::size_t i = 0; i < addresses.size(); ++i) {
    const int fd = ::socket(addresses[i].storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {  // no IPv6 in this kernel, say
      if (i == 0) first = failed(errno);
      continue;
    }
    Connection connection{fd, clock};
    auto connected = connection.connect(addresses[i], deadline);
    if (connected) return connection;
    if (i == 0) first = std::move(connected);
  }
  return first.error();
}

Connection::Connection(Connection&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), clock_(other.clock_) {}

Connection::~Connection() {
  if (fd_ >= 0) ::close(fd_);
}

Status Connection::connect(const Address& address, MonoTime deadline) {
  if (::connect(fd_, reinterpret_cast<const sockaddr*>(&address.storage), address.size) == 0) return {};
  if (errno != EINPROGRESS) return failed(errno);
  SLIPWAY_TRY(wait(POLLOUT, deadline));
  int error = 0;
  socklen_t size = sizeof(error);
  ::getsockopt(fd_, SOL_SOCKET, SO_ERROR, &error, &size);
  if (error != 0) return failed(error);
  return {};
}

Status Connection::wait(short events, MonoTime deadline) {
  pollfd entry{fd_, events, 0};
  for (;;) {
    const auto left = std::chrono::ceil<milliseconds>(deadline - clock_->mono());
    if (left <= milliseconds{0}) return failed(ETIMEDOUT);
    const int ready = ::poll(&entry, 1, static_cast<int>(left.count()));
    if (ready > 0) return {};
    if (ready < 0 && errno != EINTR) return failed(errno);
  }
}

Status Connection::send(std::string_view bytes, MonoTime deadline) {
  while (!bytes.empty()) {
    SLIPWAY_TRY(wait(POLLOUT, deadline));
    const auto sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && (errno == EAGAIN || errno == EINTR)) continue;
    if (sent < 0) return failed(errno);
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return {};
}

Result<bool> Connection::receive(std::string& into, MonoTime deadline) {
  std::array<char, kChunk> chunk;
  for (;;) {
    SLIPWAY_TRY(wait(POLLIN, deadline));
    const auto got = ::recv(fd_, chunk.data(), chunk.size(), 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) continue;
    if (got < 0) return failed(errno);
    into.append(chunk.data(), static_cast<std::size_t>(got));
    return got > 0;
  }
}

}  // namespace slipway::health_probe
