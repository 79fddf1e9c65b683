#pragma once

#include "ports/http_client.hpp"

namespace slipway::http {

/// The CLI's way to a server: ports::HttpClient over Client.
ports::HttpClientFactory cli_client_factory();

}  // namespace slipway::http
