#pragma once

#include <functional>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "cli/session.hpp"

namespace slipway::cli {

/// The server's HTTP API. A problem answer becomes the Error that it carries. One thread at a time.
class Api {
 public:
  /// kInvalid server.url for what is no URL. Does not connect yet.
  static Result<Api> connect(const Session& session);

  Result<nlohmann::json> get(const std::string& target, milliseconds deadline = milliseconds{30'000});
  Result<nlohmann::json> post(const std::string& target, std::string json);
  Result<nlohmann::json> put(const std::string& target, std::string bytes,
                             const std::string& content_type = "application/x-tar");
  Result<nlohmann::json> remove(const std::string& target);

  /// Events of a stream of JSON lines until `on_event` says false (a success) or the stream ends (kUnknown
  /// `server.stream_ended`).
  using EventHandler = std::function<bool(std::string_view event, const nlohmann::json& data)>;
  Status stream(const std::string& target, const EventHandler& on_event, const std::stop_token& stop);

 private:
  Api(std::string server, std::unique_ptr<ports::HttpClient> client, std::stop_token interrupted);
  Result<nlohmann::json> call(ports::HttpCall call);
  Error explain(Error error) const;
  Result<nlohmann::json> read(const ports::HttpAnswer& answer) const;

  std::string server_;
  std::unique_ptr<ports::HttpClient> client_;
  std::stop_token interrupted_;
};

}  // namespace slipway::cli
