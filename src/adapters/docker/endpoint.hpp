#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "adapters/http/client.hpp"
#include "base/result.hpp"

namespace slipway::docker {

/// Which engines may be opened at all.
struct EndpointPolicy {
  std::vector<std::string> unix_sockets{"/var/run/docker.sock"};  ///< these paths exactly
  std::vector<std::string> insecure_networks;  ///< "10.77.0.0/16": TCP without TLS only to these
  std::string credentials_dir;                 ///< holds <tls_name>/{ca,cert,key}.pem
};

/// True if the IP literal `host` lies in `network` ("10.0.0.0/8", "fd00::/8", or a single address).
bool in_network(std::string_view host, std::string_view network);

/// The address behind "unix:///path" or "tcp://host:port". Without TLS a TCP host must be an IP address of an
/// insecure network: a name could mean something else tomorrow. machine.url (kInvalid) for all that is not
/// allowed, machine.credentials (kInvalid) for a `tls_name` that is no plain name.
Result<http::Address> resolve_endpoint(std::string_view endpoint, std::string_view tls_name,
                                       const EndpointPolicy& policy);

}  // namespace slipway::docker
