#include "adapters/repository/samples.hpp"

#include <algorithm>

#include "ports/stores/codec.hpp"
#include "ports/stores/reader.hpp"

namespace slipway::repository {
namespace {

using nlohmann::json;
using ports::MinuteDocument;
using ports::Reach;
using ports::Summary;

constexpr std::chrono::hours kKeepColumns{48};
constexpr std::chrono::hours kKeepPlain{24 * 30};
constexpr std::size_t kBatch = 100;  // larger ones only block the server

json head(const MinuteDocument& minute, std::chrono::hours kept) {
  json document = {{"_id", minute.id()},
                   {"machine", minute.machine},
                   {"minute", ports::codec::date(from_ms(minute.minute))},
                   {"samples", minute.samples},
                   {"reach",
                    {{"cluster_id", minute.reach.cluster_id},
                     {"partition", minute.reach.partition},
                     {"through_offset", minute.reach.through_offset}}},
                   {"expires_at", ports::codec::date(from_ms(minute.minute) + kept)}};
  if (!minute.container_id.empty()) {
    document["container_id"] = minute.container_id;
    document["service_id"] = minute.service_id;
    document["release"] = minute.release ? json(*minute.release) : json();
  }
  return document;
}

json full_document(const MinuteDocument& minute) {
  json document = head(minute, kKeepColumns);
  document["columns"] = json::binary(std::vector<std::uint8_t>(minute.columns.begin(), minute.columns.end()));
  return document;
}

// "cpu.used" becomes {cpu: {used: {min, avg, max, p95, last, count}}}: any client can aggregate
// "$cpu.used.avg".
json plain_document(const MinuteDocument& minute) {
  json document = head(minute, kKeepPlain);
  for (const auto& [name, summary] : minute.plain) {
    json* place = &document;
    std::size_t from = 0;
    for (std::size_t dot; (dot = name.find('.', from)) != std::string::npos; from = dot + 1)
      place = &(*place)[name.substr(from, dot - from)];
    (*place)[name.substr(from)] = {{"min", summary.min}, {"avg", summary.avg},   {"max", summary.max},
                                   {"p95", summary.p95}, {"last", summary.last}, {"count", summary.count}};
  }
  return document;
}

void read_plain(const json& object, const std::string& prefix, std::string& problem,
                std::map<std::string, Summary>& plain) {
  for (const auto& [key, value] : object.items()) {
    if (!value.is_object() || (prefix.empty() && key == "reach")) continue;
    const std::string name = prefix.empty() ? key : prefix + "." + key;
    if (!value.contains("p95")) {
      read_plain(value, name, problem, plain);
      continue;
    }
    const ports::codec::Reader summary(value, problem);
    plain[name] = {summary.real("min"), summary.real("avg"),  summary.real("max"),
                   summary.real("p95"), summary.real("last"), summary.number("count")};
  }
}

Result<MinuteDocument> decode(const json& document) {
  MinuteDocument minute;
  std::string problem;
  const ports::codec::Reader from(document, problem);
  minute.machine = from.text("machine");
  minute.container_id = from.text("container_id");
  minute.service_id = from.text("service_id");
  minute.release = from.maybe_number("release");
  minute.minute = to_ms(from.date("minute"));
  minute.samples = from.number("samples");
  from.object("reach", [&](const auto& reach) {
    minute.reach = {reach.text("cluster_id"), reach.small("partition"), reach.number("through_offset")};
  });
  minute.columns = from.bytes("columns");
  read_plain(document, "", problem, minute.plain);
  if (problem.empty()) return minute;
  return Error{ErrorKind::kCorrupt, "repository.corrupt",
               "stored minute " + document.value("_id", json()).dump() + ": " + problem};
}

Result<std::vector<MinuteDocument>> decode_all(const Result<std::vector<json>>& documents) {
  if (!documents) return documents.error();
  std::vector<MinuteDocument> found;
  for (const auto& document : *documents) {
    SLIPWAY_ASSIGN(MinuteDocument minute, decode(document));
    found.push_back(std::move(minute));
  }
  return found;
}

// Matches a stored document that does not reach further than `minute`, if both count the same partition. Only
// plain conditions beside _id: with $or the embedded server would read the whole collection.
json not_further(const MinuteDocument& minute) {
  return {{"_id", minute.id()}, {"reach.through_offset", {{"$lte", minute.reach.through_offset}}}};
}

// Writes the documents of `minutes`; true for each that is stored now.
template <class Make>
Result<std::vector<bool>> replace_unless_further(const Collection& collection,
                                                 const std::vector<const MinuteDocument*>& minutes,
                                                 Make make) {
  std::vector<std::pair<json, json>> replaces;
  for (const auto* minute : minutes) replaces.emplace_back(not_further(*minute), make(*minute));
  SLIPWAY_ASSIGN(const auto refused, collection.replace_where(replaces));
  std::vector<bool> stored(minutes.size(), true);
  for (const std::size_t i : refused) {
    // A higher offset of another cluster or partition says nothing: the writer has merged that document.
    const Reach& mine = minutes[i]->reach;
    const json& document = replaces[i].second;
    const json id = document.at("_id");
    SLIPWAY_ASSIGN(
        const bool other_cluster,
        collection.replace({{"_id", id}, {"reach.cluster_id", {{"$ne", mine.cluster_id}}}}, document));
    if (other_cluster) continue;
    SLIPWAY_ASSIGN(stored[i], collection.replace(
                                  {{"_id", id}, {"reach.partition", {{"$ne", mine.partition}}}}, document));
  }
  return stored;
}

json between(const std::string& machine, const std::string& container_id, WallTime from, WallTime to) {
  json filter = {{"machine", machine},
                 {"minute", {{"$gte", ports::codec::date(from)}, {"$lt", ports::codec::date(to)}}}};
  if (!container_id.empty()) filter["container_id"] = container_id;
  return filter;
}

const json kAscending = {{"sort", {{"minute", 1}}}};

}  // namespace

MongoSamples::MongoSamples(const Connection& connection)
    : machines_{Collection(connection, "samples_1s"), Collection(connection, "samples_1m")},
      containers_{Collection(connection, "container_samples_1s"),
                  Collection(connection, "container_samples_1m")} {}

Status MongoSamples::create_indexes() const {
  const json expiry = {{"key", {{"expires_at", 1}}}, {"name", "expires_at"}, {"expireAfterSeconds", 0}};
  const json machine = {{"key", {{"machine", 1}, {"minute", 1}}}, {"name", "machine_minute"}};
  const json container = {{"key", {{"container_id", 1}, {"minute", 1}}}, {"name", "container_minute"}};
  for (const Collection* collection : {&machines_.full, &machines_.plain})
    SLIPWAY_TRY(collection->create_indexes(json::array({expiry, machine})));
  for (const Collection* collection : {&containers_.full, &containers_.plain})
    SLIPWAY_TRY(collection->create_indexes(json::array({expiry, machine, container})));
  return {};
}

Status MongoSamples::write_batch(const Pair& pair, const std::vector<const MinuteDocument*>& batch,
                                 std::vector<std::string>& refused) const {
  SLIPWAY_ASSIGN(const auto full, replace_unless_further(pair.full, batch, full_document));
  std::vector<const MinuteDocument*> written;
  for (std::size_t i = 0; i < batch.size(); ++i) {
    if (full[i])
      written.push_back(batch[i]);
    else
      refused.push_back(batch[i]->id());
  }
  SLIPWAY_ASSIGN(const auto plain, replace_unless_further(pair.plain, written, plain_document));
  for (std::size_t i = 0; i < written.size(); ++i)
    if (!plain[i]) refused.push_back(written[i]->id());
  return {};
}

Result<std::vector<std::string>> MongoSamples::write(const std::vector<MinuteDocument>& minutes) {
  std::vector<std::string> refused;
  for (const bool container : {false, true}) {
    std::vector<const MinuteDocument*> batch;
    const auto flush = [&]() -> Status {
      SLIPWAY_TRY(write_batch(pair(container), batch, refused));
      batch.clear();
      return {};
    };
    for (const auto& minute : minutes) {
      if (minute.container_id.empty() == container) continue;
      batch.push_back(&minute);
      if (batch.size() == kBatch) SLIPWAY_TRY(flush());
    }
    SLIPWAY_TRY(flush());
  }
  return refused;
}

Result<std::optional<MinuteDocument>> MongoSamples::load(const std::string& machine,
                                                         const std::string& container_id,
                                                         std::int64_t minute) {
  SLIPWAY_ASSIGN(
      const auto found,
      pair(!container_id.empty()).full.find_one({{"_id", ports::minute_id(machine, container_id, minute)}}));
  if (!found) return std::nullopt;
  SLIPWAY_ASSIGN(MinuteDocument document, decode(*found));
  return document;
}

Result<std::vector<MinuteDocument>> MongoSamples::plain(const std::string& machine,
                                                        const std::string& container_id, WallTime from,
                                                        WallTime to) {
  return decode_all(
      pair(!container_id.empty()).plain.find(between(machine, container_id, from, to), kAscending));
}

Result<std::vector<MinuteDocument>> MongoSamples::columns(const std::string& machine,
                                                          const std::string& container_id, WallTime from,
                                                          WallTime to) {
  return decode_all(
      pair(!container_id.empty()).full.find(between(machine, container_id, from, to), kAscending));
}

Result<std::vector<MinuteDocument>> MongoSamples::containers(const std::string& machine, WallTime from,
                                                             WallTime to) {
  const auto groups = containers_.plain.aggregate(
      json::array({{{"$match", between(machine, "", from, to)}},
                   {{"$sort", {{"minute", -1}}}},
                   {{"$group", {{"_id", "$container_id"}, {"newest", {{"$first", "$$ROOT"}}}}}},
                   {{"$sort", {{"_id", 1}}}}}));
  if (!groups) return groups.error();
  std::vector<json> newest;
  for (const auto& group : *groups) newest.push_back(group.value("newest", json::object()));
  return decode_all(newest);
}

}  // namespace slipway::repository
