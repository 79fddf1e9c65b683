#include "adapters/repository/collection.hpp"

#include "adapters/repository/bson.hpp"

namespace slipway::repository {
namespace {

using nlohmann::json;

struct CollectionDeleter {
  void operator()(mongoc_collection_t* collection) const { mongoc_collection_destroy(collection); }
};
struct CursorDeleter {
  void operator()(mongoc_cursor_t* cursor) const { mongoc_cursor_destroy(cursor); }
};
struct BulkDeleter {
  void operator()(mongoc_bulk_operation_t* bulk) const { mongoc_bulk_operation_destroy(bulk); }
};
struct OptionsDeleter {
  void operator()(mongoc_find_and_modify_opts_t* options) const {
    mongoc_find_and_modify_opts_destroy(options);
  }
};

// A reply of the driver, made by the call that it is given to.
class Reply {
 public:
  Reply() { bson_init(&bson_); }
  Reply(const Reply&) = delete;  // owns what the driver puts into it
  Reply& operator=(const Reply&) = delete;
  ~Reply() { bson_destroy(&bson_); }
  bson_t* get() {
    bson_destroy(&bson_);
    return &bson_;
  }
  json value() const { return to_json(bson_); }

 private:
  bson_t bson_;
};

}  // namespace

Error Collection::failed(const bson_error_t& error, Doing doing) const {
  return map_error(error, doing, (doing == Doing::kWriting ? "writing to " : "reading ") + name_);
}

template <class Body>
auto Collection::with_handle(Body body) const -> decltype(body(static_cast<mongoc_collection_t*>(nullptr))) {
  const auto client = connection_.client();
  if (!client->get()) return connection_.exhausted();
  const std::unique_ptr<mongoc_collection_t, CollectionDeleter> handle(
      mongoc_client_get_collection(client->get(), connection_.database().c_str(), name_.c_str()));
  return body(handle.get());
}

Result<std::vector<json>> Collection::drain(mongoc_cursor_t* raw) const {
  const std::unique_ptr<mongoc_cursor_t, CursorDeleter> cursor(raw);
  std::vector<json> found;
  const bson_t* document = nullptr;
  while (mongoc_cursor_next(cursor.get(), &document)) found.push_back(to_json(*document));
  bson_error_t error{};
  if (mongoc_cursor_error(cursor.get(), &error)) return failed(error, Doing::kReading);
  return found;
}

Result<std::vector<json>> Collection::find(const json& filter, const json& options) const {
  return with_handle([&](mongoc_collection_t* handle) {
    return drain(mongoc_collection_find_with_opts(handle, Bson(filter).get(), Bson(options).get(), nullptr));
  });
}

Result<std::optional<json>> Collection::find_one(const json& filter) const {
  SLIPWAY_ASSIGN(auto found, find(filter, {{"limit", 1}}));
  if (found.empty()) return std::nullopt;
  return std::move(found.front());
}

Result<std::vector<json>> Collection::aggregate(const json& pipeline) const {
  return with_handle([&](mongoc_collection_t* handle) {
    return drain(mongoc_collection_aggregate(handle, MONGOC_QUERY_NONE,
                                             Bson(json{{"pipeline", pipeline}}).get(), nullptr, nullptr));
  });
}

Result<bool> Collection::insert(const json& document) const {
  return with_handle([&](mongoc_collection_t* handle) -> Result<bool> {
    bson_error_t error{};
    if (mongoc_collection_insert_one(handle, Bson(document).get(), nullptr, nullptr, &error)) return true;
    Error mapped = failed(error, Doing::kWriting);
    if (mapped.kind == ErrorKind::kConflict) return false;
    return mapped;
  });
}

Status Collection::put(const json& document) const {
  return with_handle([&](mongoc_collection_t* handle) -> Status {
    bson_error_t error{};
    const Bson filter(json{{"_id", document.at("_id")}});
    // Two first puts at once may both try to insert: the loser's second try replaces.
    for (int tries = 0;; ++tries) {
      if (mongoc_collection_replace_one(handle, filter.get(), Bson(document).get(),
                                        Bson(json{{"upsert", true}}).get(), nullptr, &error))
        return {};
      Error mapped = failed(error, Doing::kWriting);
      if (mapped.kind != ErrorKind::kConflict || tries == 3) return mapped;
    }
  });
}

Result<bool> Collection::update(const json& filter, const json& change) const {
  return with_handle([&](mongoc_collection_t* handle) -> Result<bool> {
    bson_error_t error{};
    Reply reply;
    if (!mongoc_collection_update_one(handle, Bson(filter).get(), Bson(change).get(), nullptr, reply.get(),
                                      &error))
      return failed(error, Doing::kWriting);
    return reply.value().value("matchedCount", 0) > 0;
  });
}

Result<bool> Collection::replace(const json& filter, const json& document) const {
  return with_handle([&](mongoc_collection_t* handle) -> Result<bool> {
    bson_error_t error{};
    Reply reply;
    if (!mongoc_collection_replace_one(handle, Bson(filter).get(), Bson(document).get(), nullptr, reply.get(),
                                       &error))
      return failed(error, Doing::kWriting);
    return reply.value().value("matchedCount", 0) > 0;
  });
}

Result<std::optional<json>> Collection::update_and_get(const json& filter, const json& change,
                                                       bool upsert) const {
  return with_handle([&](mongoc_collection_t* handle) -> Result<std::optional<json>> {
    const std::unique_ptr<mongoc_find_and_modify_opts_t, OptionsDeleter> options(
        mongoc_find_and_modify_opts_new());
    const Bson update(change);
    mongoc_find_and_modify_opts_set_update(options.get(), update.get());
    mongoc_find_and_modify_opts_set_flags(
        options.get(), static_cast<mongoc_find_and_modify_flags_t>(
                           MONGOC_FIND_AND_MODIFY_RETURN_NEW | (upsert ? MONGOC_FIND_AND_MODIFY_UPSERT : 0)));
    bson_error_t error{};
    Reply reply;
    if (!mongoc_collection_find_and_modify_with_opts(handle, Bson(filter).get(), options.get(), reply.get(),
                                                     &error)) {
      Error mapped = failed(error, Doing::kWriting);
      if (upsert && mapped.kind == ErrorKind::kConflict) return std::nullopt;
      return mapped;
    }
    json answer = reply.value();
    if (!answer.contains("value") || !answer["value"].is_object()) return std::nullopt;
    return std::move(answer["value"]);
  });
}

Status Collection::remove(const json& filter) const {
  return with_handle([&](mongoc_collection_t* handle) -> Status {
    bson_error_t error{};
    if (mongoc_collection_delete_one(handle, Bson(filter).get(), nullptr, nullptr, &error)) return {};
    return failed(error, Doing::kWriting);
  });
}

Result<std::vector<std::size_t>> Collection::replace_where(
    const std::vector<std::pair<json, json>>& replaces) const {
  if (replaces.empty()) return std::vector<std::size_t>{};
  return with_handle([&](mongoc_collection_t* handle) -> Result<std::vector<std::size_t>> {
    const std::unique_ptr<mongoc_bulk_operation_t, BulkDeleter> bulk(
        mongoc_collection_create_bulk_operation_with_opts(handle, Bson(json{{"ordered", false}}).get()));
    const Bson upsert(json{{"upsert", true}});
    bson_error_t error{};
    for (const auto& [filter, document] : replaces)
      if (!mongoc_bulk_operation_replace_one_with_opts(bulk.get(), Bson(filter).get(), Bson(document).get(),
                                                       upsert.get(), &error))
        return failed(error, Doing::kWriting);
    Reply reply;
    if (mongoc_bulk_operation_execute(bulk.get(), reply.get(), &error)) return std::vector<std::size_t>{};
    const json answer = reply.value();
    const json errors = answer.value("writeErrors", json::array());
    if (errors.empty() || !answer.value("writeConcernErrors", json::array()).empty())
      return failed(error, Doing::kWriting);
    std::vector<std::size_t> refused;
    for (const auto& each : errors) {
      if (each.value("code", 0) != 11000) return failed(error, Doing::kWriting);
      refused.push_back(each.value("index", std::size_t{0}));
    }
    return refused;
  });
}

Status Collection::create_indexes(const json& indexes) const {
  return with_handle([&](mongoc_collection_t* handle) -> Status {
    // The name of a command must be its first field, and nlohmann sorts: so it is put there by hand.
    Bson command;
    bson_append_utf8(command.get(), "createIndexes", -1, name_.data(), static_cast<int>(name_.size()));
    bson_concat(command.get(), Bson(json{{"indexes", indexes}}).get());
    bson_error_t error{};
    if (mongoc_collection_write_command_with_opts(handle, command.get(), nullptr, nullptr, &error)) return {};
    return failed(error, Doing::kWriting);
  });
}

Status Collection::drop() const {
  return with_handle([&](mongoc_collection_t* handle) -> Status {
    bson_error_t error{};
    if (mongoc_collection_drop(handle, &error) || error.code == 26) return {};  // 26: there is none
    return failed(error, Doing::kWriting);
  });
}

}  // namespace slipway::repository
