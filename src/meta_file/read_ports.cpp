#include <arpa/inet.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "meta_file/spec_reader.hpp"

namespace slipway::meta_file {
namespace {

constexpr std::uint32_t kLongestRange = 256;

struct Range {
  std::uint32_t first = 0;
  std::uint32_t last = 0;
  std::uint32_t size() const { return last - first + 1; }
};

std::optional<std::uint32_t> parse_port(std::string_view text) {
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value > 65535) return std::nullopt;
  return value;
}

std::optional<Range> parse_range(std::string_view text) {
  const std::size_t dash = text.find('-');
  const auto first = parse_port(text.substr(0, dash));
  const auto last = dash == std::string_view::npos ? first : parse_port(text.substr(dash + 1));
  if (!first || !last || *last < *first || *last - *first >= kLongestRange) return std::nullopt;
  return Range{*first, *last};
}

bool is_address(const std::string& text) {
  std::array<unsigned char, sizeof(in6_addr)> bytes{};
  return inet_pton(AF_INET, text.c_str(), bytes.data()) == 1 ||
         inet_pton(AF_INET6, text.c_str(), bytes.data()) == 1;
}

bool same_address(const std::string& a, const std::string& b) {
  const auto any = [](const std::string& ip) { return ip == "0.0.0.0" || ip == "::"; };
  return a == b || any(a) || any(b);
}

// [ip:][host:]container[/protocol]; nothing if a number or the address is impossible.
std::optional<std::vector<PortMapping>> parse_short_form(std::string_view text) {
  PortMapping common;
  if (const std::size_t slash = text.find('/'); slash != std::string_view::npos) {
    common.protocol = text.substr(slash + 1);
    text = text.substr(0, slash);
  }
  const std::size_t colon = text.rfind(':');
  const auto target = parse_range(colon == std::string_view::npos ? text : text.substr(colon + 1));
  if (!target || target->first == 0) return std::nullopt;
  Range published = *target;
  std::string_view before = colon == std::string_view::npos ? std::string_view() : text.substr(0, colon);
  const std::size_t bracket = before.rfind(']');
  const std::size_t split = bracket == std::string_view::npos ? before.rfind(':') : before.find(':', bracket);
  std::string_view address = before.substr(0, split == std::string_view::npos ? before.size() : split);
  std::string_view host = split == std::string_view::npos ? std::string_view() : before.substr(split + 1);
  if (split == std::string_view::npos && !address.contains('.') && !address.contains('['))
    std::swap(address, host);
  if (!host.empty()) {
    const auto range = parse_range(host);
    if (!range || (range->size() != target->size() && !(range->first == 0 && range->size() == 1)))
      return std::nullopt;
    published = *range;
  }
  if (address.starts_with('[')) address = address.substr(1, address.size() - 2);
  if (!address.empty()) common.host_ip = address;
  if (!is_address(common.host_ip)) return std::nullopt;
  std::vector<PortMapping> all;
  for (std::uint32_t i = 0; i < target->size(); ++i) {
    PortMapping port = common;
    port.target = static_cast<std::uint16_t>(target->first + i);
    port.published = static_cast<std::uint16_t>(published.first == 0 ? 0 : published.first + i);
    all.push_back(std::move(port));
  }
  return all;
}

std::optional<std::vector<PortMapping>> parse_map_form(const Fields& fields) {
  PortMapping port;
  port.name = fields.text("name");
  port.target = static_cast<std::uint16_t>(fields.number("target", 0));
  port.published = static_cast<std::uint16_t>(fields.number("published", port.target));
  if (const std::string address = fields.text("host_ip"); !address.empty()) port.host_ip = address;
  if (const std::string protocol = fields.text("protocol"); !protocol.empty()) port.protocol = protocol;
  if (port.target == 0 || !is_address(port.host_ip)) return std::nullopt;
  return std::vector{port};
}

void check_port(const PortMapping& port, const Node& node, std::span<const PortMapping> before,
                const Policy& policy, Problems& problems) {
  if (port.published == 0) return;
  if (std::ranges::find(policy.forbidden_ports, port.published) != policy.forbidden_ports.end())
    problems.add("meta.port_forbidden", node,
                 fmt::format("no service may publish on port {}", port.published),
                 "publish on another port, such as \"8080:80\"");
  for (const auto& other : before)
    if (other.published == port.published && other.protocol == port.protocol &&
        same_address(other.host_ip, port.host_ip))
      problems.add("meta.port_conflict", node, fmt::format("port {} is published twice", port.published),
                   "publish on another port, or on \"0:8080\" for a free one");
}

}  // namespace

std::vector<PortMapping> read_ports(const Fields& root, const Policy& policy) {
  std::vector<PortMapping> all;
  const Node* list = root.list("ports");
  if (list == nullptr) return all;
  Problems& problems = root.problems();
  for (std::size_t i = 0; i < list->items.size(); ++i) {
    const Node& node = list->items[i];
    if (problems.blamed(node) || node.is_sequence()) continue;
    if (node.is_map() && node.find("target") == nullptr) continue;
    const std::size_t known = problems.all().size();
    const auto ports = node.is_map() ? parse_map_form(Fields(node, fmt::format("ports[{}]", i), problems))
                                     : parse_short_form(node.text);
    if (!ports && problems.all().size() == known)
      problems.add(
          "meta.port", node, fmt::format("'ports[{}]' is no port mapping", i),
          "ports are 1 to 65535, addresses are numeric, ranges are equally long and at most 256 ports");
    for (const auto& port : ports.value_or(std::vector<PortMapping>())) {
      check_port(port, node, all, policy, problems);
      all.push_back(port);
    }
  }
  return all;
}

}  // namespace slipway::meta_file
