#include "adapters/http/connection.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstring>

namespace slipway::http {
namespace {

using namespace std::chrono_literals;
constexpr auto kConnectTime = 5s;

void keep_alive(int socket) {
  const auto set = [socket](int level, int option, int value) {
    ::setsockopt(socket, level, option, &value, sizeof value);  // a hint: works without
  };
  set(IPPROTO_TCP, TCP_NODELAY, 1);
  set(SOL_SOCKET, SO_KEEPALIVE, 1);  // a stream without data notices a dead peer after 30 s
  set(IPPROTO_TCP, TCP_KEEPIDLE, 15);
  set(IPPROTO_TCP, TCP_KEEPINTVL, 5);
  set(IPPROTO_TCP, TCP_KEEPCNT, 3);
}

bool is_ip(const std::string& host) {
  std::array<unsigned char, sizeof(in6_addr)> bytes{};
  return ::inet_pton(AF_INET, host.c_str(), bytes.data()) == 1 ||
         ::inet_pton(AF_INET6, host.c_str(), bytes.data()) == 1;
}

}  // namespace

struct Connection::StopCallback {
  struct Wake {
    int wake;
    void operator()() const noexcept { ::eventfd_write(wake, 1); }
  };
  std::stop_callback<Wake> callback;
};

Connection::Connection() : wake_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {}

Connection::~Connection() {
  on_stop_.reset();
  ssl_.reset();
  if (socket_ >= 0) ::close(socket_);
  if (wake_ >= 0) ::close(wake_);
}

void Connection::set_limits(const Limits& limits) {
  on_stop_.reset();
  eventfd_t count = 0;
  ::eventfd_read(wake_, &count);
  limits_ = limits;
  end_ = End::kNone;
  if (limits_.stop.stop_possible())
    on_stop_.reset(
        new StopCallback{std::stop_callback<StopCallback::Wake>{limits_.stop, StopCallback::Wake{wake_}}});
}

Error Connection::open_error(const std::string& what) const {
  switch (end_) {
    case End::kTimeout:
      return unavailable("http.timeout", what + ": no answer in time");
    case End::kStopped:
      return unavailable("http.cancelled", what + ": given up");
    case End::kRefused:
      return denied("tls.refused", fmt::format("{}: {}", what, detail_));
    default:
      return unavailable("http.unreachable", fmt::format("{}: {}", what, detail_));
  }
}

Result<std::unique_ptr<Connection>> Connection::open(const Address& address, ssl_ctx_st* tls,
                                                     const Limits& limits) {
  std::unique_ptr<Connection> connection{new Connection};
  Limits connecting = limits;
  connecting.until = std::min(limits.until, std::chrono::steady_clock::now() + kConnectTime);
  connecting.idle = {};
  connection->set_limits(connecting);
  SLIPWAY_TRY(connection->connect_to(address));
  if (tls != nullptr) SLIPWAY_TRY(connection->shake_hands(address, tls));
  return connection;
}

Status Connection::connect_to(const Address& address) {
  if (address.unix_path.empty()) return connect_tcp(address);
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  if (address.unix_path.size() >= sizeof name.sun_path)
    return invalid("http.url", "the path of a unix socket is too long: " + address.unix_path);
  std::memcpy(name.sun_path, address.unix_path.data(), address.unix_path.size());
  return connect_socket(AF_UNIX, &name, sizeof name);
}

Status Connection::connect_tcp(const Address& address) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int failed =
      ::getaddrinfo(address.host.c_str(), std::to_string(address.port).c_str(), &hints, &found);
  if (failed != 0)
    return unavailable("http.unreachable", fmt::format("{}: {}", address.host, ::gai_strerror(failed)));
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner{found, ::freeaddrinfo};
  Status last = unavailable("http.unreachable", address.host + ": no address");
  for (const auto* one = found; one != nullptr; one = one->ai_next) {
    last = connect_socket(one->ai_family, one->ai_addr, one->ai_addrlen);
    if (last || end_ == End::kStopped) break;
  }
  if (last) keep_alive(socket_);
  return last;
}

Status Connection::connect_socket(int family, const void* address, std::size_t size) {
  if (socket_ >= 0) ::close(socket_);
  end_ = End::kNone;
  socket_ = ::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  int failed = 0;
  if (socket_ < 0 ||
      ::connect(socket_, static_cast<const sockaddr*>(address), static_cast<socklen_t>(size)) != 0)
    failed = errno;
  if (failed == EINPROGRESS) {
    if (!wait(false, true)) return open_error("connecting");
    socklen_t length = sizeof failed;
    ::getsockopt(socket_, SOL_SOCKET, SO_ERROR, &failed, &length);
  }
  if (failed == 0) return {};
  if (failed == EACCES) return denied("http.unreachable", fmt::format("connecting: {}", ::strerror(failed)));
  return unavailable("http.unreachable", fmt::format("connecting: {}", ::strerror(failed)));
}

Status Connection::shake_hands(const Address& address, ssl_ctx_st* tls) {
  ssl_.reset(SSL_new(tls));
  use_socket(ssl_.get(), socket_);
  if (is_ip(address.host)) {
    X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl_.get()), address.host.c_str());
  } else {
    SSL_set1_host(ssl_.get(), address.host.c_str());
    SSL_set_tlsext_host_name(ssl_.get(), address.host.c_str());
  }
  while (true) {
    ERR_clear_error();
    const int result = SSL_connect(ssl_.get());
    if (result == 1) return {};
    const Io io = ssl_result(result);
    if (io == Io::kEnd || !wait(io == Io::kWantRead, io == Io::kWantWrite))
      return open_error("TLS handshake");
  }
}

bool Connection::wait(bool to_read, bool to_write) {
  MonoTime until = limits_.until;
  const auto now = std::chrono::steady_clock::now();
  if (limits_.idle.count() > 0) until = std::min(until, now + limits_.idle);
  while (true) {
    int timeout = -1;
    if (until != MonoTime::max()) {
      const auto left =
          std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
      if (left.count() <= 0) {
        end_ = End::kTimeout;
        return false;
      }
      timeout = static_cast<int>(std::min<std::int64_t>(left.count(), INT_MAX));
    }
    const auto wanted = static_cast<short>((to_read ? POLLIN : 0) | (to_write ? POLLOUT : 0));
    std::array<pollfd, 2> fds{pollfd{socket_, wanted, 0}, pollfd{wake_, POLLIN, 0}};
    const int ready = ::poll(fds.data(), fds.size(), timeout);
    if (ready < 0 && errno != EINTR) {
      end_ = End::kBroken;
      detail_ = ::strerror(errno);
      return false;
    }
    if (ready <= 0) continue;
    if (fds[1].revents != 0) {
      end_ = End::kStopped;
      return false;
    }
    return true;
  }
}

Connection::Io Connection::ssl_result(int result) {
  switch (SSL_get_error(ssl_.get(), result)) {
    case SSL_ERROR_WANT_READ:
      return Io::kWantRead;
    case SSL_ERROR_WANT_WRITE:
      return Io::kWantWrite;
    case SSL_ERROR_ZERO_RETURN:
      end_ = End::kClosed;
      return Io::kEnd;
    case SSL_ERROR_SSL:
      if (ERR_GET_REASON(ERR_peek_error()) == SSL_R_UNEXPECTED_EOF_WHILE_READING) {
        end_ = End::kBroken;
        detail_ = ssl_words();
        return Io::kEnd;
      }
      end_ = End::kRefused;
      if (const long verified = SSL_get_verify_result(ssl_.get()); verified != X509_V_OK) {
        detail_ = X509_verify_cert_error_string(verified);
        ERR_clear_error();
      } else {
        detail_ = ssl_words();
      }
      return Io::kEnd;
    default:
      end_ = End::kBroken;
      detail_ = errno != 0 ? ::strerror(errno) : "the connection ended";
      return Io::kEnd;
  }
}

Connection::Io Connection::try_read(char* to, std::size_t size, std::size_t& done) {
  if (ssl_) {
    ERR_clear_error();
    const int result = SSL_read_ex(ssl_.get(), to, size, &done);
    return result == 1 ? Io::kDone : ssl_result(result);
  }
  const auto got = ::recv(socket_, to, size, 0);
  if (got > 0) {
    done = static_cast<std::size_t>(got);
    return Io::kDone;
  }
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return Io::kWantRead;
  end_ = got == 0 ? End::kClosed : End::kBroken;
  if (got < 0) detail_ = ::strerror(errno);
  return Io::kEnd;
}

Connection::Io Connection::try_write(const char* from, std::size_t size, std::size_t& done) {
  if (ssl_) {
    ERR_clear_error();
    const int result = SSL_write_ex(ssl_.get(), from, size, &done);
    return result == 1 ? Io::kDone : ssl_result(result);
  }
  const auto sent = ::send(socket_, from, size, MSG_NOSIGNAL);
  if (sent >= 0) {
    done = static_cast<std::size_t>(sent);
    return Io::kDone;
  }
  if (errno == EAGAIN || errno == EINTR) return Io::kWantWrite;
  end_ = End::kBroken;
  detail_ = ::strerror(errno);
  return Io::kEnd;
}

// A peer that never makes us wait must not keep us from seeing the stop and the deadline.
bool Connection::out_of_time() {
  if (limits_.stop.stop_requested()) {
    end_ = End::kStopped;
  } else if (limits_.until != MonoTime::max() && std::chrono::steady_clock::now() >= limits_.until) {
    end_ = End::kTimeout;
  }
  return end_ == End::kStopped || end_ == End::kTimeout;
}

std::size_t Connection::read_some(char* to, std::size_t size) {
  while (true) {
    if (out_of_time()) return 0;
    std::size_t done = 0;
    const Io io = try_read(to, size, done);
    if (io == Io::kDone) return done;
    if (io == Io::kEnd || !wait(io == Io::kWantRead, io == Io::kWantWrite)) return 0;
  }
}

bool Connection::write_all(const char* from, std::size_t size) {
  while (size > 0) {
    if (out_of_time()) return false;
    std::size_t done = 0;
    const Io io = try_write(from, size, done);
    if (io == Io::kEnd) return false;
    if (io != Io::kDone && !wait(io == Io::kWantRead, io == Io::kWantWrite)) return false;
    from += done;
    size -= done;
  }
  return true;
}

std::size_t Connection::exchange(std::string_view& output, char* to, std::size_t size) {
  while (true) {
    if (out_of_time()) return 0;
    std::size_t done = 0;
    Io writing = Io::kWantRead;
    if (!output.empty()) {
      writing = try_write(output.data(), output.size(), done);
      if (writing == Io::kDone) {
        output.remove_prefix(done);
        return 0;
      }
      if (writing == Io::kEnd) {  // nobody reads it any more; what was said can still be heard
        output = {};
        end_ = End::kNone;
      }
    }
    const Io reading = try_read(to, size, done);
    if (reading == Io::kDone) return done;
    if (reading == Io::kEnd) return 0;
    if (!wait(writing == Io::kWantRead || reading == Io::kWantRead,
              writing == Io::kWantWrite || reading == Io::kWantWrite))
      return 0;
  }
}

void Connection::close_write() {
  if (ssl_) {
    SSL_shutdown(ssl_.get());  // sends close_notify; what comes from the other side can still be read
  } else {
    ::shutdown(socket_, SHUT_WR);
  }
}

bool Connection::stale() const {
  pollfd fd{socket_, POLLIN, 0};
  return ::poll(&fd, 1, 0) != 0;
}

}  // namespace slipway::http
