#include "adapters/repository/leases.hpp"

#include "adapters/repository/table.hpp"

namespace slipway::repository {
namespace {

using nlohmann::json;
using ports::Lease;

json held(const Lease& lease) {
  return {{"_id", lease.name}, {"holder", lease.holder}, {"epoch", lease.epoch}};
}

}  // namespace

Result<std::optional<Lease>> MongoLeases::find(const std::string& name) {
  return decode_maybe<Lease>(leases_.find_one({{"_id", name}}));
}

Result<std::optional<Lease>> MongoLeases::take(const std::string& name, const std::string& holder,
                                               const std::optional<Lease>& seen) {
  if (!seen) {
    const Lease first{name, holder, 1, 0};
    SLIPWAY_ASSIGN(const bool is_mine, leases_.insert(ports::codec::to_document(first)));
    return is_mine ? std::optional(first) : std::nullopt;
  }
  json same = held({name, seen->holder, seen->epoch, seen->beat});
  same["beat"] = seen->beat;
  return decode_maybe<Lease>(
      leases_.update_and_get(same, {{"$set", {{"holder", holder}}}, {"$inc", {{"epoch", 1}, {"beat", 1}}}}));
}

Result<bool> MongoLeases::renew(const Lease& mine) {
  return leases_.update(held(mine), {{"$inc", {{"beat", 1}}}});
}

Status MongoLeases::give_back(const Lease& mine) {
  SLIPWAY_TRY(leases_.update(held(mine), {{"$set", {{"holder", ""}}}}));
  return {};
}

}  // namespace slipway::repository
