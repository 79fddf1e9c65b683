#include "adapters/repository/probe.hpp"

#include <fmt/format.h>

#include <array>
#include <thread>

#include "adapters/repository/collection.hpp"
#include "base/ids.hpp"

namespace slipway::repository {
namespace {

using nlohmann::json;

constexpr int kRacers = 4;
constexpr int kRounds = 5;

Error unfit(const Connection& connection, const std::string& what) {
  return invalid("repository.unfit", fmt::format("the server at {} {}", connection.hosts(), what),
                 "Slipway needs MongoDB 4.4 or later, or a server with the same promises");
}

Status race(const Connection& connection, const Collection& scratch) {
  SLIPWAY_TRY(scratch.put({{"_id", "race"}, {"round", 0}}));
  for (int round = 0; round < kRounds; ++round) {
    std::array<Result<bool>, kRacers> won;
    {
      std::array<std::jthread, kRacers> racers;
      for (std::size_t i = 0; i < kRacers; ++i)
        racers[i] = std::jthread([&, i] {
          won[i] = scratch.update({{"_id", "race"}, {"round", round}}, {{"$inc", {{"round", 1}}}});
        });
    }
    int winners = 0;
    for (const auto& each : won) {
      if (!each) return each.error();
      winners += *each;
    }
    if (winners != 1)
      return unfit(connection, fmt::format("let {} of {} racing conditional updates win", winners, kRacers));
  }
  SLIPWAY_ASSIGN(const auto after, scratch.find_one({{"_id", "race"}}));
  if (!after || after->value("round", 0) != kRounds)
    return unfit(connection, "lost an update that it had acknowledged");
  return {};
}

Status try_promises(const Connection& connection, const Collection& scratch) {
  SLIPWAY_ASSIGN(const bool first, scratch.insert({{"_id", "unique"}}));
  SLIPWAY_ASSIGN(const bool second, scratch.insert({{"_id", "unique"}}));
  if (!first || second) return unfit(connection, "stores two documents with one _id");
  const auto indexes = scratch.create_indexes(json::array({
      {{"key", {{"expires_at", 1}}}, {"name", "expires_at"}, {"expireAfterSeconds", 3600}},
      {{"key", {{"open", 1}}}, {"name", "open"}, {"sparse", true}},
  }));
  if (!indexes) {
    if (indexes.error().retryable() || indexes.error().kind == ErrorKind::kDenied) return indexes;
    return unfit(connection, "has no TTL or sparse indexes: " + indexes.error().message);
  }
  return race(connection, scratch);
}

}  // namespace

Status probe(const Connection& connection) {
  const Collection scratch(connection, fmt::format("slipway_probe_{:016x}", random_u64()));
  Status result = try_promises(connection, scratch);
  const Status dropped = scratch.drop();
  return result ? dropped : result;
}

}  // namespace slipway::repository
