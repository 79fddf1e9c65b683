#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ports/stores/placements.hpp"
#include "ports/stores/releases.hpp"
#include "ports/stores/services.hpp"

namespace slipway::ports {

/// The text fields of a plain document that Table::where may ask for: each has an index.
template <class T>
using IndexedFields = std::vector<std::pair<std::string_view, std::string T::*>>;

template <class T>
IndexedFields<T> indexed_fields() {
  return {};
}
template <>
inline IndexedFields<Release> indexed_fields() {
  return {{"service_id", &Release::service_id}};
}
template <>
inline IndexedFields<Instance> indexed_fields() {
  return {{"service_id", &Instance::service_id},
          {"machine", &Instance::machine},
          {"container_id", &Instance::container_id}};
}
template <>
inline IndexedFields<Failure> indexed_fields() {
  return {{"service_id", &Failure::service_id}};
}
template <>
inline IndexedFields<ServiceHistory> indexed_fields() {
  return {{"service_id", &ServiceHistory::service_id}};
}
template <>
inline IndexedFields<Placement> indexed_fields() {
  return {{"service_id", &Placement::service_id}};
}

/// What Table::where answers when asked for a field without an index: a bug of the caller.
inline Error no_such_index(std::string_view collection, std::string_view field) {
  return internal_error("repository.no_index",
                        std::string(collection) + " has no index on '" + std::string(field) + "'");
}

}  // namespace slipway::ports
