#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"

namespace slipway::ports {

/// A request as far as a handler needs it. Before the body is read, `body` is empty.
struct HttpRequest {
  std::string method;                          ///< "GET"
  std::string path;                            ///< percent-decoded, begins with '/', no control characters
  std::map<std::string, std::string> query;    ///< decoded; a repeated parameter was refused already
  std::map<std::string, std::string> headers;  ///< names in lower case
  std::string body;
  const std::string* header(const std::string& lower_case_name) const {
    const auto found = headers.find(lower_case_name);
    return found == headers.end() ? nullptr : &found->second;
  }
};

/// The open end of an answer that goes on: events, log lines. Any thread may call. Holding it keeps nothing
/// alive but itself; the connection may end at any time.
class HttpStream {
 public:
  enum class Pushed {
    kTaken,
    kFull,   ///< the client reads too slowly: nothing of it was taken, try later or drop it and tell
    kClosed  ///< nobody reads any more
  };
  virtual ~HttpStream() = default;
  /// All of `bytes` or nothing; never blocks.
  virtual Pushed push(std::string bytes) = 0;
  /// What was pushed is still sent, then the answer ends well.
  virtual void finish() = 0;
  virtual bool closed() const = 0;
  /// Called once when nobody reads any more (at once if so already), from a thread of the server: must not
  /// block.
  virtual void on_close(std::function<void()> callback) = 0;
};

struct HttpReply {
  int status = 200;
  std::string content_type = "application/json";
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;
  /// Set: `body` is only the beginning; called once with the open stream, from a thread of the server: must
  /// not block.
  std::function<void(std::shared_ptr<HttpStream>)> stream;
};

class HttpHandler {
 public:
  virtual ~HttpHandler() = default;
  /// How many bytes of body are read for this request; called from the server's I/O thread: must not block.
  virtual std::uint64_t body_limit(const HttpRequest& head) = 0;
  /// Called on worker threads, several at a time; may block for as long as its own deadlines say.
  virtual HttpReply answer(const HttpRequest& request) = 0;
};

/// An HTTP/1.1 server, already bound to its address when it exists. What breaks the protocol or a limit is
/// answered by the server itself (400, 408, 413, 431, 503) and the connection closed.
class HttpServer {
 public:
  virtual ~HttpServer() = default;
  /// Begins to answer. Once; `handler` must live until stop() has returned.
  virtual void start(HttpHandler& handler) = 0;
  /// Ends every stream and connection; when it returns no call to the handler runs or will come.
  virtual void stop() = 0;
  virtual std::uint16_t port() const = 0;
};

}  // namespace slipway::ports
