#pragma once

#include <functional>
#include <mutex>
#include <stop_token>
#include <string>
#include <string_view>

#include "adapters/http/client.hpp"
#include "base/log.hpp"
#include "base/result.hpp"

namespace slipway::docker {

/// The newest and oldest API that this adapter speaks. 1.41 is that of Engine 20.10.
inline constexpr std::string_view kNewestApi = "1.51";
inline constexpr std::string_view kOldestApi = "1.41";

/// The version to speak with an engine that knows `oldest` to `newest`: its newest or ours, whichever is
/// older. engine.version (kInvalid) if there is none in common. Versions are "1.41".
Result<std::string> choose_version(const std::string& newest, const std::string& oldest);

/// Calls of one engine's API under the version that was agreed with it. Any thread may call. Failures of the
/// transport are engine.unreachable, engine.timeout, engine.broken, engine.cancelled, engine.malformed,
/// tls.*; kinds as in http::Client. Targets are without version ("/containers/json").
class Api {
 public:
  Api(http::Address address, std::string name, Log log);

  Result<http::Response> call(http::Request request, const std::stop_token& stop = {});
  Result<http::Response> stream(http::Request request, const http::PieceHandler& on_piece,
                                const std::stop_token& stop = {}, const std::function<void()>& on_head = {});
  Result<http::Response> stream_lines(http::Request request, const http::PieceHandler& on_line,
                                      const std::stop_token& stop = {},
                                      const std::function<void()>& on_head = {});
  Result<http::Response> converse(http::Request request, std::string_view input,
                                  const http::PieceHandler& on_piece, const std::stop_token& stop = {});
  /// GET /_ping within 3 s, without a version.
  Status ping();
  /// The agreed version; asks once, and again after the engine has refused one.
  Result<std::string> version();

 private:
  using Send = std::function<Result<http::Response>(const http::Request&)>;
  Result<http::Response> with_version(http::Request request, const Send& send);
  Error transport_error(Error error) const;

  http::Client client_;
  const std::string name_;
  const Log log_;
  std::mutex mutex_;
  std::string version_;
};

/// An Error for a status that is no success, with the engine's own words: 400 kInvalid engine.refused, 401
/// and 403 kDenied, 404 engine.not_found, 409 engine.conflict; in 5xx the known troubles engine.port_taken
/// (kConflict) and engine.disk_full (kUnavailable), else engine.failed (kUnknown: it may have happened).
Status expect_ok(const http::Response& response, std::string_view doing);

/// "?a=1&b=2", escaped; empty for no parameters.
std::string query(std::initializer_list<std::pair<std::string_view, std::string>> parameters);

}  // namespace slipway::docker
