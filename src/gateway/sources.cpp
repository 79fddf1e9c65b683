#include "gateway/sources.hpp"

#include <algorithm>
#include <cctype>
#include <nlohmann/json.hpp>

#include "base/digest.hpp"
#include "base/text.hpp"
#include "base/time_text.hpp"
#include "gateway/problem.hpp"

namespace slipway::gateway {
namespace {

constexpr std::size_t kMostPath = 200;
constexpr std::size_t kMostParts = 8;

bool is_good_part(const std::string& part) {
  const auto good = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || std::string_view("._+-").contains(c);
  };
  return !part.empty() && part != "." && part != ".." && std::ranges::all_of(part, good);
}

Result<ports::HttpReply> put_source(World& world, const ports::HttpRequest& request, const Params& params) {
  const std::string& path = params.at("path");
  SLIPWAY_TRY(check_source_path(path));
  if (request.body.empty())
    return invalid("archive.empty", "the body must be the archive of the service's folder");
  auto stored = world.repository.sources().put(path, request.body);
  if (!stored) return of_repository(stored.error());
  return json_reply({{"path", stored->path},
                     {"file_id", stored->file_id},
                     {"size", stored->size},
                     {"digest", sha256_hex(request.body)},
                     {"uploaded_at", to_rfc3339(stored->uploaded_at)}});
}

}  // namespace

Status check_source_path(std::string_view path) {
  const std::vector<std::string> parts = split(path, '/');
  if (path.size() <= kMostPath && parts.size() <= kMostParts && std::ranges::all_of(parts, is_good_part))
    return {};
  return invalid("source.path",
                 "not a path for sources: '" + escape_for_people(path.substr(0, kMostPath)) + "'",
                 "up to 8 parts of letters, digits and . _ + -, such as boiler-monitor/1.4.0");
}

void add_source_routes(Router& router, World& world) {
  router.add(
      "PUT", "/api/v1/sources/{path...}",
      [&world](const ports::HttpRequest& request, const Params& params) {
        return put_source(world, request, params);
      },
      world.settings.upload_limit);
}

}  // namespace slipway::gateway
