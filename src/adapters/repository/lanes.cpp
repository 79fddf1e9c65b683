#include "adapters/repository/lanes.hpp"

#include "adapters/repository/table.hpp"

namespace slipway::repository {
namespace {

using nlohmann::json;
using ports::Lane;

json mine(const std::string& service_id, const std::string& request_id, std::int64_t epoch) {
  return {{"_id", service_id}, {"active", request_id}, {"epoch", epoch}};
}

}  // namespace

Result<std::optional<Lane>> MongoLanes::find(const std::string& service_id) {
  return decode_maybe<Lane>(lanes_.find_one({{"_id", service_id}}));
}

Result<std::vector<Lane>> MongoLanes::all() {
  return decode_all<Lane>(lanes_.find(json::object(), {{"sort", {{"_id", 1}}}}));
}

Result<Lane> MongoLanes::enqueue(const std::string& service_id, const std::string& request_id) {
  // A new lane is an empty one with this request: what the update sets itself must not be named twice.
  Lane lane;
  lane.service_id = service_id;
  json empty = ports::codec::to_document(lane);
  for (const char* field : {"_id", "queue", "last_accepted", "active"}) empty.erase(field);
  const json not_there = {
      {"_id", service_id}, {"active", {{"$ne", request_id}}}, {"queue", {{"$ne", request_id}}}};
  const json append = {
      {"$push", {{"queue", request_id}}}, {"$inc", {{"last_accepted", 1}}}, {"$setOnInsert", empty}};
  // An upsert that matches nothing collides with the lane that has the request already, or with a lane that
  // somebody creates at this moment: then once more.
  for (int tries = 0; tries < 3; ++tries) {
    SLIPWAY_ASSIGN(auto after, decode_maybe<Lane>(lanes_.update_and_get(not_there, append, true)));
    if (after) return std::move(*after);
    SLIPWAY_ASSIGN(auto there, find(service_id));
    if (there &&
        (there->active == request_id || std::ranges::find(there->queue, request_id) != there->queue.end()))
      return std::move(*there);
  }
  return unavailable("repository.contended", "the lane of " + service_id + " changes too often");
}

Result<std::optional<Lane>> MongoLanes::take(const std::string& service_id, const std::string& request_id,
                                             const std::string& owner) {
  return decode_maybe<Lane>(lanes_.update_and_get(
      {{"_id", service_id}, {"active", nullptr}, {"queue.0", request_id}},
      {{"$set", {{"active", request_id}, {"owner", owner}, {"cancel", nullptr}, {"cut_over", nullptr}}},
       {"$pop", {{"queue", -1}}},
       {"$inc", {{"epoch", 1}, {"lease", 1}}}}));
}

Result<std::optional<Lane>> MongoLanes::take_over(const Lane& seen, const std::string& owner) {
  if (!seen.active) return std::nullopt;
  json same = mine(seen.service_id, *seen.active, seen.epoch);
  same["lease"] = seen.lease;
  return decode_maybe<Lane>(
      lanes_.update_and_get(same, {{"$set", {{"owner", owner}}}, {"$inc", {{"epoch", 1}, {"lease", 1}}}}));
}

Result<bool> MongoLanes::renew(const std::string& service_id, const std::string& request_id,
                               std::int64_t epoch) {
  return lanes_.update(mine(service_id, request_id, epoch), {{"$inc", {{"lease", 1}}}});
}

Result<bool> MongoLanes::cancel(const std::string& service_id, const std::string& request_id) {
  return lanes_.update({{"_id", service_id}, {"active", request_id}, {"cut_over", nullptr}},
                       {{"$set", {{"cancel", request_id}}}});
}

Result<bool> MongoLanes::unqueue(const std::string& service_id, const std::string& request_id) {
  return lanes_.update({{"_id", service_id}, {"queue", request_id}}, {{"$pull", {{"queue", request_id}}}});
}

Result<std::optional<std::int64_t>> MongoLanes::take_release(const std::string& service_id,
                                                             const std::string& request_id,
                                                             std::int64_t epoch) {
  json first = mine(service_id, request_id, epoch);
  first["last_release_for"] = {{"$ne", request_id}};
  SLIPWAY_ASSIGN(
      auto lane,
      decode_maybe<Lane>(lanes_.update_and_get(
          first, {{"$inc", {{"last_release", 1}}}, {"$set", {{"last_release_for", request_id}}}})));
  if (!lane) {
    SLIPWAY_ASSIGN(lane, decode_maybe<Lane>(lanes_.find_one(mine(service_id, request_id, epoch))));
  }
  if (!lane) return std::nullopt;
  return lane->last_release;
}

Result<bool> MongoLanes::cut_over(const std::string& service_id, const std::string& request_id,
                                  std::int64_t epoch, const Cutover& cutover) {
  json undecided = mine(service_id, request_id, epoch);
  undecided["cancel"] = nullptr;
  undecided["cut_over"] = nullptr;
  json set = {
      {"cut_over", request_id}, {"wanted", to_string(cutover.wanted)}, {"machines", cutover.machines}};
  if (cutover.committed) set["committed"] = *cutover.committed;
  if (cutover.previous) set["previous"] = *cutover.previous;
  SLIPWAY_ASSIGN(const bool decided, lanes_.update(undecided, {{"$set", set}}));
  if (decided) return true;
  // Not decided by this call; by me before, perhaps: once taken, only release_lane by me undoes it.
  json by_me = mine(service_id, request_id, epoch);
  by_me["cut_over"] = request_id;
  SLIPWAY_ASSIGN(const auto lane, lanes_.find_one(by_me));
  return lane.has_value();
}

Result<bool> MongoLanes::complete(const std::string& service_id, std::int64_t release) {
  return lanes_.update(
      {{"_id", service_id}, {"committed", release}, {"wanted", to_string(ports::Wanted::kRunning)}},
      {{"$set", {{"wanted", to_string(ports::Wanted::kCompleted)}}}});
}

Result<bool> MongoLanes::release_lane(const std::string& service_id, const std::string& request_id,
                                      std::int64_t epoch) {
  return lanes_.update(
      mine(service_id, request_id, epoch),
      {{"$set", {{"active", nullptr}, {"cancel", nullptr}, {"cut_over", nullptr}, {"owner", ""}}}});
}

}  // namespace slipway::repository
