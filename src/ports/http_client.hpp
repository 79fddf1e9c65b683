#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace slipway::ports {

/// One call to a server.
struct HttpCall {
  std::string method = "GET";
  std::string target;  ///< path and query, already percent-encoded
  std::map<std::string, std::string> headers;
  std::string body;
  std::chrono::milliseconds deadline{30'000};  ///< for the whole answer; of a stream, for its head only
};

struct HttpAnswer {
  int status = 0;
  std::map<std::string, std::string> headers;  ///< names in lower case
  std::string body;                            ///< at most 64 MiB
};

/// Talks to one server. One thread at a time. Answers of any status are a success; an Error means that there
/// was none: kUnavailable `server.unreachable` (nothing was sent), kUnknown `server.no_answer` (sent, but the
/// answer did not come, or not whole), `interrupted` when `stop` was requested.
class HttpClient {
 public:
  virtual ~HttpClient() = default;
  virtual Result<HttpAnswer> call(const HttpCall& call, const std::stop_token& stop) = 0;
  /// Hands over each line (without its end) of an answer that goes on; returns when `on_line` says false, or
  /// the server ends it. An answer with another status than 200 comes back whole, without a call of
  /// `on_line`. A line over 4 MiB is left out.
  virtual Result<HttpAnswer> stream(const HttpCall& call,
                                    const std::function<bool(std::string_view line)>& on_line,
                                    const std::stop_token& stop) = 0;
};

/// Makes a client for a base URL such as "http://127.0.0.1:7420"; kInvalid `server.url` for what is none.
using HttpClientFactory = std::function<Result<std::unique_ptr<HttpClient>>(const std::string& base_url)>;

}  // namespace slipway::ports
