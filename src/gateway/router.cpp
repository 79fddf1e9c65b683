#include "gateway/router.hpp"

#include <algorithm>
#include <utility>

#include "base/text.hpp"
#include "gateway/problem.hpp"

namespace slipway::gateway {
namespace {

/// "127.0.0.1:7420" -> "127.0.0.1", "[::1]:7420" -> "[::1]".
std::string_view host_of(std::string_view authority) {
  const std::size_t end = authority.starts_with('[') ? authority.find(']') : std::string_view::npos;
  if (end != std::string_view::npos) return authority.substr(0, end + 1);
  return authority.substr(0, authority.find(':'));
}

bool is_loopback(std::string_view authority) {
  const std::string_view host = host_of(authority);
  return host == "127.0.0.1" || host == "localhost" || host == "[::1]";
}

bool is_rest(std::string_view part) {
  return part.starts_with('{') && part.ends_with("...}");
}

}  // namespace

Status check_local(const ports::HttpRequest& request) {
  const std::string* host = request.header("host");
  if (host == nullptr || !is_loopback(*host))
    return denied("http.foreign_host", "this server answers to its loopback name only",
                  "use http://127.0.0.1:<port>, or an SSH tunnel");
  const std::string* origin = request.header("origin");
  if (origin == nullptr) return {};
  constexpr std::string_view kScheme = "http://";
  if (!origin->starts_with(kScheme) || std::string_view(*origin).substr(kScheme.size()) != *host)
    return denied("http.foreign_origin", "requests from pages of other sites are refused");
  return {};
}

void Router::add(std::string method, std::string pattern, RouteHandler handler, std::uint64_t body_limit) {
  std::vector<std::string> parts = split(pattern, '/');
  routes_.push_back(
      {std::move(method), std::move(pattern), std::move(parts), std::move(handler), body_limit});
}

std::vector<std::string> Router::routes() const {
  std::vector<std::string> names;
  for (const Route& route : routes_) names.push_back(route.method + " " + route.pattern);
  return names;
}

bool Router::match(const Route& route, const std::vector<std::string>& parts, Params& params) {
  params.clear();
  for (std::size_t i = 0; i < route.parts.size(); ++i) {
    const std::string& wanted = route.parts[i];
    if (is_rest(wanted)) {
      if (i >= parts.size()) return false;
      params[wanted.substr(1, wanted.size() - 5)] = join(std::span(parts).subspan(i), "/");
      return true;
    }
    if (i >= parts.size()) return false;
    if (wanted.starts_with('{')) {
      if (parts[i].empty()) return false;
      params[wanted.substr(1, wanted.size() - 2)] = parts[i];
    } else if (wanted != parts[i]) {
      return false;
    }
  }
  return route.parts.size() == parts.size();
}

std::uint64_t Router::body_limit(const ports::HttpRequest& head) {
  const std::vector<std::string> parts = split(head.path, '/');
  Params ignored;
  for (const Route& route : routes_)
    if (route.method == head.method && match(route, parts, ignored)) return route.body_limit;
  return kJsonBodyLimit;
}

Result<ports::HttpReply> Router::dispatch(const ports::HttpRequest& request) const {
  SLIPWAY_TRY(check_local(request));
  const std::vector<std::string> parts = split(request.path, '/');
  Params params;
  std::vector<std::string> methods;
  for (const Route& route : routes_) {
    if (!match(route, parts, params)) continue;
    if (route.method == request.method) return route.handler(request, params);
    methods.push_back(route.method);
  }
  if (methods.empty())
    return not_found("http.no_such_route", "there is nothing at " + escape_for_people(request.path),
                     "GET /api/openapi.json lists what there is");
  return invalid("http.method", "this address takes " + join(methods, ", ") + " only");
}

ports::HttpReply Router::answer(const ports::HttpRequest& request) {
  Result<ports::HttpReply> result = dispatch(request);
  ports::HttpReply reply = result ? std::move(*result) : problem(result.error());
  reply.headers.emplace_back("Cache-Control", "no-store");
  reply.headers.emplace_back("X-Content-Type-Options", "nosniff");
  reply.headers.emplace_back("Content-Security-Policy", "default-src 'none'");
  return reply;
}

}  // namespace slipway::gateway
