#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "ports/http.hpp"

namespace slipway::gateway {

using Params = std::map<std::string, std::string>;
/// Answers a request; `params` are the named parts of its path.
using RouteHandler =
    std::function<Result<ports::HttpReply>(const ports::HttpRequest& request, const Params& params)>;

inline constexpr std::uint64_t kJsonBodyLimit = 256 * 1024;

/// Finds the route of a request. Until tokens exist it also keeps strangers out: a page of another site that
/// a browser on this machine has open (Origin), and a name that points here (Host). Routes are added before
/// the first request.
class Router final : public ports::HttpHandler {
 public:
  /// `pattern`: "/api/v1/services/{service}", a last "{path...}" takes the rest.
  void add(std::string method, std::string pattern, RouteHandler handler,
           std::uint64_t body_limit = kJsonBodyLimit);
  /// "GET /api/v1/services" ...: a test compares them with the OpenAPI file.
  std::vector<std::string> routes() const;

  std::uint64_t body_limit(const ports::HttpRequest& head) override;
  ports::HttpReply answer(const ports::HttpRequest& request) override;

 private:
  struct Route {
    std::string method, pattern;
    std::vector<std::string> parts;
    RouteHandler handler;
    std::uint64_t body_limit;
  };
  static bool match(const Route& route, const std::vector<std::string>& parts, Params& params);
  Result<ports::HttpReply> dispatch(const ports::HttpRequest& request) const;

  std::vector<Route> routes_;
};

/// kDenied http.foreign_host or http.foreign_origin unless both name this machine's loopback.
Status check_local(const ports::HttpRequest& request);

}  // namespace slipway::gateway
