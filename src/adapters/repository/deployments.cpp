#include "adapters/repository/deployments.hpp"

#include <limits>

#include "adapters/repository/table.hpp"

namespace slipway::repository {
namespace {

using nlohmann::json;
using ports::Deployment;

}  // namespace

Status MongoDeployments::create_indexes() const {
  return deployments_.create_indexes(json::array({
      {{"key", {{"open", 1}}}, {"name", "open"}, {"sparse", true}},
      {{"key", {{"unpublished", 1}}}, {"name", "unpublished"}, {"sparse", true}},
      {{"key", {{"service_id", 1}}}, {"name", "service_id"}},
      {{"key", {{"created_at", 1}}}, {"name", "created_at"}},
      {{"key", {{"expires_at", 1}}}, {"name", "expires_at"}, {"expireAfterSeconds", 0}},
  }));
}

Result<bool> MongoDeployments::insert(const Deployment& deployment) {
  return deployments_.insert(ports::codec::to_document(deployment));
}

Result<std::optional<Deployment>> MongoDeployments::find(const std::string& request_id) {
  return decode_maybe<Deployment>(deployments_.find_one({{"_id", request_id}}));
}

Result<std::vector<Deployment>> MongoDeployments::oldest_first(const char* flag) {
  return decode_all<Deployment>(deployments_.find({{flag, true}}, {{"sort", {{"created_at", 1}}}}));
}

Result<std::vector<Deployment>> MongoDeployments::open() {
  return oldest_first("open");
}

Result<std::vector<Deployment>> MongoDeployments::unpublished() {
  return oldest_first("unpublished");
}

Result<std::vector<Deployment>> MongoDeployments::latest(const std::string& service_id, std::size_t most) {
  if (most == 0) return std::vector<Deployment>{};  // a limit of 0 would mean all
  const json filter = service_id.empty() ? json::object() : json{{"service_id", service_id}};
  const auto limit = std::min<std::size_t>(most, std::numeric_limits<std::int32_t>::max());
  return decode_all<Deployment>(
      deployments_.find(filter, {{"sort", {{"created_at", -1}}}, {"limit", limit}}));
}

Result<bool> MongoDeployments::append(const std::string& request_id, std::int64_t epoch,
                                      const messages::DeploymentStatus& status) {
  json set = {{"epoch", epoch}, {"unpublished", true}};
  json change = {{"$push", {{"stages", ports::codec::escape_keys(messages::to_value(status))}}}};
  if (status.final) {
    set["end"] = messages::to_string(status.state);
    change["$unset"] = {{"open", ""}};
  }
  change["$set"] = std::move(set);
  return deployments_.update(
      {{"_id", request_id}, {"epoch", {{"$lte", epoch}}}, {"stages", {{"$size", status.seq - 1}}}}, change);
}

Result<bool> MongoDeployments::set_facts(const std::string& request_id, std::int64_t epoch,
                                         const std::map<std::string, std::string>& facts) {
  json set = {{"epoch", epoch}};
  for (const auto& [name, value] : facts) set["facts." + ports::codec::escape_key(name)] = value;
  return deployments_.update({{"_id", request_id}, {"epoch", {{"$lte", epoch}}}}, {{"$set", set}});
}

Status MongoDeployments::mark_published(const std::string& request_id, std::int64_t count) {
  SLIPWAY_TRY(deployments_.update({{"_id", request_id}}, {{"$max", {{"published", count}}}}));
  // Everything that is there is published and the end is among it: nothing can be appended any more.
  SLIPWAY_TRY(deployments_.update({{"_id", request_id},
                                   {"end", {{"$ne", nullptr}}},
                                   {"stages." + std::to_string(count), {{"$exists", false}}}},
                                  {{"$unset", {{"unpublished", ""}}}}));
  return {};
}

}  // namespace slipway::repository
