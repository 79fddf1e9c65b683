#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "adapters/http/client.hpp"
#include "adapters/http/tls.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"

namespace slipway::http {

/// What bounds the reads and writes of one call.
struct Limits {
  MonoTime until = MonoTime::max();
  std::chrono::milliseconds idle{0};  ///< 0: none
  std::stop_token stop;
};

/// A connected socket, plain or TLS, whose every read and write has a deadline and can be stopped from
/// another thread. One thread at a time.
class Connection {
 public:
  enum class End {
    kNone,
    kClosed,
    kBroken,
    kTimeout,
    kStopped,
    kRefused
  };  ///< why an operation gave nothing

  /// http.unreachable, http.timeout, http.cancelled (all kUnavailable), tls.refused (kDenied).
  static Result<std::unique_ptr<Connection>> open(const Address& address, ssl_ctx_st* tls,
                                                  const Limits& limits);
  ~Connection();
  Connection(const Connection&) = delete;  // owns a socket and is known to a stop callback by address
  Connection& operator=(const Connection&) = delete;

  /// Bounds what follows; the end of a call resets it with {}.
  void set_limits(const Limits& limits);
  /// At least one byte, or 0 and why in end().
  std::size_t read_some(char* to, std::size_t size);
  /// True when all was written; else why in end().
  bool write_all(const char* from, std::size_t size);
  /// Says that nothing more will be written.
  void close_write();
  /// One step of a conversation: writes from `output` (which is shortened) or reads to `to`, whatever is
  /// possible first. The number of bytes read; 0 with end() == kNone after a write.
  std::size_t exchange(std::string_view& output, char* to, std::size_t size);
  End end() const { return end_; }
  const std::string& detail() const { return detail_; }
  /// An idle connection that has something to read: closed by the peer, or out of step.
  bool stale() const;

 private:
  enum class Io { kDone, kWantRead, kWantWrite, kEnd };
  struct StopCallback;

  Connection();
  Status connect_to(const Address& address);
  Status connect_socket(int family, const void* address, std::size_t size);
  Status connect_tcp(const Address& address);
  Status shake_hands(const Address& address, ssl_ctx_st* tls);
  Io try_read(char* to, std::size_t size, std::size_t& done);
  Io try_write(const char* from, std::size_t size, std::size_t& done);
  Io ssl_result(int result);
  bool wait(bool to_read, bool to_write);
  bool out_of_time();
  Error open_error(const std::string& what) const;

  int socket_ = -1;
  int wake_ = -1;  // an eventfd, readable once stop was requested
  std::unique_ptr<ssl_st, SslFree> ssl_;
  Limits limits_;
  std::unique_ptr<StopCallback> on_stop_;
  End end_ = End::kNone;
  std::string detail_;
};

}  // namespace slipway::http
