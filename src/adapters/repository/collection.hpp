#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "adapters/repository/connection.hpp"
#include "base/result.hpp"

namespace slipway::repository {

/// One collection, in JSON of the codec's shape. Any thread may call; every call takes a client of its own.
/// Writes are on a majority and in its journal when they return.
class Collection {
 public:
  using json = nlohmann::json;

  Collection(const Connection& connection, std::string name)
      : connection_(connection), name_(std::move(name)) {}

  Result<std::optional<json>> find_one(const json& filter) const;
  /// `options`: sort, limit, projection.
  Result<std::vector<json>> find(const json& filter, const json& options = json::object()) const;
  Result<std::vector<json>> aggregate(const json& pipeline) const;

  /// False: there is a document with this id (or unique key).
  Result<bool> insert(const json& document) const;
  /// Inserts or replaces by _id.
  Status put(const json& document) const;
  /// One conditional update; false: no document matched.
  Result<bool> update(const json& filter, const json& change) const;
  /// The same, and the document after it; nothing: no document matched (or, with `upsert`, one is there that
  /// does not match).
  Result<std::optional<json>> update_and_get(const json& filter, const json& change,
                                             bool upsert = false) const;
  Status remove(const json& filter) const;
  /// One conditional replace; false: no document matched.
  Result<bool> replace(const json& filter, const json& document) const;
  /// Conditional replaces or inserts: (filter with _id, document). Indexes of those refused because a
  /// document is there that the filter does not match.
  Result<std::vector<std::size_t>> replace_where(const std::vector<std::pair<json, json>>& replaces) const;

  Status create_indexes(const json& indexes) const;
  Status drop() const;
  const std::string& name() const { return name_; }

 private:
  template <class Body>
  auto with_handle(Body body) const -> decltype(body(static_cast<mongoc_collection_t*>(nullptr)));
  Result<std::vector<json>> drain(mongoc_cursor_t* cursor) const;
  Error failed(const bson_error_t& error, Doing doing) const;

  const Connection& connection_;
  const std::string name_;
};

}  // namespace slipway::repository
