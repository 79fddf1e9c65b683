#pragma once

#include <memory>
#include <string>

#include "adapters/http/client.hpp"
#include "base/result.hpp"

struct ssl_ctx_st;
struct ssl_st;

namespace slipway::http {

struct SslContextFree {
  void operator()(ssl_ctx_st* context) const noexcept;
};
struct SslFree {
  void operator()(ssl_st* ssl) const noexcept;
};
using SslContext = std::unique_ptr<ssl_ctx_st, SslContextFree>;

/// A context that trusts `files.ca` alone. tls.credentials (kInvalid) if a file cannot be read.
Result<SslContext> make_ssl_context(const TlsFiles& files);

/// Lets `ssl` read and write `socket`, without signals.
void use_socket(ssl_st* ssl, int socket);

/// OpenSSL's words for this thread's last trouble, which are forgotten thereby.
std::string ssl_words();

}  // namespace slipway::http
