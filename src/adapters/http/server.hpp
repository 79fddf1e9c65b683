#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "base/log.hpp"
#include "base/result.hpp"
#include "ports/http.hpp"

namespace slipway::http {

struct ServerSettings {
  std::string bind = "127.0.0.1";  ///< a loopback address: anything else is refused until tokens exist
  std::uint16_t port = 7420;       ///< 0: a free one
  std::size_t workers = 16;        ///< threads that run the handler
  std::size_t connections = 512;   ///< more are answered 503 at once
  std::size_t header_bytes = 16 * 1024;
  std::uint64_t body_bytes_in_flight = 512ULL << 20;  ///< of all requests together; beyond it 503
  std::size_t stream_buffer = 1 << 20;                ///< bytes that one slow reader of a stream may lag
  std::chrono::milliseconds header_deadline{10'000};  ///< from the first byte of a request to its last header
  std::chrono::milliseconds idle{60'000};             ///< between two requests; between two pieces of a body
  std::chrono::milliseconds write_deadline{30'000};   ///< for a client that does not read
};

/// Binds; kInvalid `config.insecure_bind` for an address that is no loopback, kConflict
/// `server.address_in_use` if somebody else listens there. One I/O thread, `workers` threads for handlers.
Result<std::unique_ptr<ports::HttpServer>> listen(const ServerSettings& settings, Log log);

}  // namespace slipway::http
