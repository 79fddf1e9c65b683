#include "adapters/docker/endpoint.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <optional>

namespace slipway::docker {
namespace {

struct Ip {
  std::array<unsigned char, 16> bytes{};
  std::size_t bits = 0;  // 32 or 128
};

std::optional<Ip> parse_ip(std::string_view text) {
  Ip ip;
  const std::string host{text};
  if (::inet_pton(AF_INET, host.c_str(), ip.bytes.data()) == 1) {
    ip.bits = 32;
  } else if (::inet_pton(AF_INET6, host.c_str(), ip.bytes.data()) == 1) {
    ip.bits = 128;
  } else {
    return std::nullopt;
  }
  return ip;
}

template <class Number>
bool parse_number(std::string_view text, Number& number) {
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  return failed == std::errc{} && end == text.data() + text.size();
}

bool is_host(std::string_view text) {
  if (text.empty() || text.size() > 253 || text.front() == '-') return false;
  if (parse_ip(text)) return true;
  return std::ranges::all_of(text,
                             [](unsigned char c) { return std::isalnum(c) != 0 || c == '-' || c == '.'; });
}

bool is_plain_name(std::string_view text) {
  const auto plain = [](unsigned char c) { return std::isalnum(c) != 0 || c == '-' || c == '_' || c == '.'; };
  return !text.empty() && text.size() <= 64 && text.front() != '.' && std::ranges::all_of(text, plain);
}

Error refuse(std::string_view endpoint, std::string_view why, std::string hint) {
  return invalid("machine.url", fmt::format("\"{}\" is no engine that may be opened: {}", endpoint, why),
                 std::move(hint));
}

Result<http::Address> unix_endpoint(std::string_view endpoint, std::string_view tls_name,
                                    const EndpointPolicy& policy) {
  http::Address address;
  address.unix_path = endpoint.substr(7);
  if (!tls_name.empty()) return refuse(endpoint, "a unix socket has no TLS", "leave tls out");
  if (std::ranges::find(policy.unix_sockets, address.unix_path) == policy.unix_sockets.end())
    return refuse(endpoint, "this socket is not in machines.unix_sockets",
                  "an administrator can add it to the server's settings");
  return address;
}

}  // namespace

bool in_network(std::string_view host, std::string_view network) {
  const auto ip = parse_ip(host);
  const auto slash = network.find('/');
  const auto base = parse_ip(network.substr(0, slash));
  if (!ip || !base || ip->bits != base->bits) return false;
  std::size_t bits = base->bits;
  if (slash != network.npos && !parse_number(network.substr(slash + 1), bits)) return false;
  if (bits > base->bits) return false;
  const std::size_t whole = bits / 8;
  if (!std::equal(ip->bytes.begin(), ip->bytes.begin() + static_cast<std::ptrdiff_t>(whole),
                  base->bytes.begin()))
    return false;
  if (bits % 8 == 0) return true;
  const auto mask = static_cast<unsigned char>(0xFF << (8 - bits % 8));
  return (ip->bytes[whole] & mask) == (base->bytes[whole] & mask);
}

Result<http::Address> resolve_endpoint(std::string_view endpoint, std::string_view tls_name,
                                       const EndpointPolicy& policy) {
  constexpr std::string_view kForm = "unix:///var/run/docker.sock or tcp://host:port";
  if (endpoint.starts_with("unix://")) return unix_endpoint(endpoint, tls_name, policy);
  if (!endpoint.starts_with("tcp://"))
    return refuse(endpoint, "the scheme must be unix or tcp", std::string{kForm});
  auto rest = endpoint.substr(6);
  const auto colon = rest.rfind(':');
  if (colon == rest.npos) return refuse(endpoint, "the port is missing", std::string{kForm});
  http::Address address;
  if (!parse_number(rest.substr(colon + 1), address.port) || address.port < 1 || address.port > 65535)
    return refuse(endpoint, "the port must be 1 to 65535", std::string{kForm});
  auto host = rest.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  if (!is_host(host)) return refuse(endpoint, "the host must be a name or an address", std::string{kForm});
  address.host = host;
  if (!tls_name.empty()) {
    if (!is_plain_name(tls_name))
      return invalid("machine.credentials", fmt::format("\"{}\" is no name of credentials", tls_name));
    const auto folder = fmt::format("{}/{}", policy.credentials_dir, tls_name);
    address.tls = http::TlsFiles{folder + "/ca.pem", folder + "/cert.pem", folder + "/key.pem"};
    return address;
  }
  const auto allowed = [&](const std::string& network) { return in_network(host, network); };
  if (std::ranges::none_of(policy.insecure_networks, allowed))
    return refuse(endpoint, "without TLS only addresses of machines.insecure_networks are opened",
                  "name credentials with tls, or have an administrator allow the network");
  return address;
}

}  // namespace slipway::docker
