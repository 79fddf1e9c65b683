#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "adapters/repository/collection.hpp"
#include "ports/stores/codec.hpp"
#include "ports/stores/collections.hpp"
#include "ports/stores/table.hpp"

namespace slipway::repository {

template <class T>
Result<std::vector<T>> decode_all(const Result<std::vector<nlohmann::json>>& documents) {
  if (!documents) return documents.error();
  std::vector<T> found;
  found.reserve(documents->size());
  for (const auto& document : *documents) {
    SLIPWAY_ASSIGN(T value, ports::codec::from_document<T>(document));
    found.push_back(std::move(value));
  }
  return found;
}

template <class T>
Result<std::optional<T>> decode_maybe(const Result<std::optional<nlohmann::json>>& document) {
  if (!document) return document.error();
  if (!*document) return std::nullopt;
  SLIPWAY_ASSIGN(T value, ports::codec::from_document<T>(**document));
  return value;
}

/// Any plain collection.
template <class T>
class MongoTable final : public ports::Table<T> {
 public:
  using json = nlohmann::json;

  MongoTable(const Connection& connection, std::string name) : collection_(connection, std::move(name)) {}

  Status create_indexes() const {
    for (const auto& [field, member] : ports::indexed_fields<T>())
      SLIPWAY_TRY(collection_.create_indexes(
          json::array({{{"key", {{std::string(field), 1}}}, {"name", std::string(field)}}})));
    return {};
  }

  Result<std::optional<T>> find(const std::string& id) override {
    return decode_maybe<T>(collection_.find_one({{"_id", id}}));
  }
  Result<std::vector<T>> all() override {
    return decode_all<T>(collection_.find(json::object(), {{"sort", {{"_id", 1}}}}));
  }
  Result<std::vector<T>> where(std::string_view field, const std::string& value, std::size_t most) override {
    const auto fields = ports::indexed_fields<T>();
    if (std::ranges::none_of(fields, [&](const auto& indexed) { return indexed.first == field; }))
      return ports::no_such_index(collection_.name(), field);
    if (most == 0) return std::vector<T>{};  // a limit of 0 would mean all
    return decode_all<T>(
        collection_.find({{std::string(field), value}}, {{"sort", {{"_id", -1}}}, {"limit", most}}));
  }
  Status put(const T& document) override { return collection_.put(ports::codec::to_document(document)); }
  Result<bool> insert(const T& document) override {
    return collection_.insert(ports::codec::to_document(document));
  }
  Status remove(const std::string& id) override { return collection_.remove({{"_id", id}}); }

 private:
  Collection collection_;
};

}  // namespace slipway::repository
