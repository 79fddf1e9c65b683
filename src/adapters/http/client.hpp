#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"

namespace slipway::http {

/// PEM files: the only authority trusted, and our certificate with its key (both may be empty).
struct TlsFiles {
  std::string ca, cert, key;
};

/// Where a server listens: a unix socket, or a host and port, plain or TLS.
struct Address {
  std::string unix_path;
  std::string host;
  int port = 0;
  std::optional<TlsFiles> tls;

  /// "http://host[:port]" or "unix:///path"; a path after the host is refused. http.url (kInvalid).
  static Result<Address> parse(std::string_view url);
};

using Headers = std::vector<std::pair<std::string, std::string>>;

struct Request {
  std::string method = "GET";
  std::string target = "/";
  Headers headers;
  std::string content_type;                    ///< of the body; empty: none is said
  std::string body;                            ///< or one of the next two, which are sent instead of it
  std::string_view borrowed_body;              ///< must stay alive during the call
  std::string body_file;                       ///< a path; streamed
  std::chrono::milliseconds deadline{30'000};  ///< for the whole call, connecting included; 0: none
  std::chrono::milliseconds idle{0};           ///< longest silence of the server; 0: no limit
  std::size_t max_body = 8U << 20;             ///< of an answer that is kept; a larger one is http.too_large
};

struct Response {
  int status = 0;
  Headers headers;  ///< names in lower case
  std::string body;

  bool ok() const { return status >= 200 && status < 300; }
  std::string header(std::string_view lower_case_name) const;  ///< empty if there is none
};

/// A piece of a body, or a line; false = that is enough (the call ends well, the connection is closed).
using PieceHandler = std::function<bool(std::string_view piece)>;

/// An HTTP/1.1 client of one server. Any thread may call, calls run side by side, idle connections are kept
/// and used again. Redirects are never followed. Every status is a Response; what is an Error:
///  http.unreachable (kUnavailable): not connected within 5 s, or refused. http.timeout, http.broken,
///  http.cancelled (by the stop_token, which closes the connection): kUnavailable, or kUnknown where the
///  request was sent whole and is none that only reads. http.malformed, http.too_large (kCorrupt).
///  tls.credentials (kInvalid): our files cannot be used. tls.refused (kDenied): one side does not trust the
///  other.
class Client {
 public:
  explicit Client(Address address);
  ~Client();
  Client(Client&&) noexcept;
  Client& operator=(Client&&) noexcept;

  /// The whole answer.
  Result<Response> call(const Request& request, const std::stop_token& stop = {});
  /// The body of a 2xx answer piece by piece as it comes; another answer's body is kept in the Response.
  /// `on_head` (may be empty) is called when such a 2xx answer begins.
  Result<Response> stream(const Request& request, const PieceHandler& on_piece,
                          const std::stop_token& stop = {}, const std::function<void()>& on_head = {});
  /// The same by lines, without their ends; lines over 64 KiB are cut there. Empty lines come too.
  Result<Response> stream_lines(const Request& request, const PieceHandler& on_line,
                                const std::stop_token& stop = {}, const std::function<void()>& on_head = {});
  /// Turns the connection into a raw stream ("Upgrade: tcp"): sends `input`, closes our half, and hands over
  /// what comes until the other side closes.
  Result<Response> converse(const Request& request, std::string_view input, const PieceHandler& on_piece,
                            const std::stop_token& stop = {});

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// `text` for use as one part of a target's path or query: everything but unreserved characters as %XX.
std::string percent_encode(std::string_view text);

}  // namespace slipway::http
