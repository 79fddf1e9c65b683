#include <fmt/format.h>

#include <cctype>
#include <charconv>

#include "adapters/http/client.hpp"

namespace slipway::http {

Result<Address> Address::parse(std::string_view url) {
  Address address;
  const auto refuse = [&](std::string_view why) {
    return invalid("http.url", fmt::format("\"{}\" is no address of a server: {}", url, why),
                   "http://host:port or unix:///path");
  };
  if (url.starts_with("unix://")) {
    address.unix_path = url.substr(7);
    if (!address.unix_path.starts_with('/')) return refuse("the path must be absolute");
    return address;
  }
  if (!url.starts_with("http://")) return refuse("the scheme must be http or unix");
  auto rest = url.substr(7);
  if (rest.ends_with('/')) rest.remove_suffix(1);
  if (rest.find_first_of("/?#@ \t\r\n") != rest.npos) return refuse("a host and a port only");
  std::string_view port = "80";
  if (const auto colon = rest.rfind(':'); colon != rest.npos && !rest.ends_with(']')) {
    port = rest.substr(colon + 1);
    rest = rest.substr(0, colon);
  }
  if (rest.starts_with('[') && rest.ends_with(']')) rest = rest.substr(1, rest.size() - 2);
  const auto [end, failed] = std::from_chars(port.data(), port.data() + port.size(), address.port);
  if (failed != std::errc{} || end != port.data() + port.size() || address.port < 1 || address.port > 65535)
    return refuse("the port must be 1 to 65535");
  if (rest.empty()) return refuse("the host is missing");
  address.host = rest;
  return address;
}

std::string percent_encode(std::string_view text) {
  std::string encoded;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte < 128 && std::isalnum(byte) != 0) || c == '-' || c == '.' || c == '_' || c == '~') {
      encoded += c;
    } else {
      encoded += fmt::format("%{:02X}", byte);
    }
  }
  return encoded;
}

}  // namespace slipway::http
