#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace slipway::ports {

/// A collection of documents by id, written by one system alone. T has `std::string id() const`. Any thread
/// may call. Writes are durable (majority, journal) when they return.
template <class T>
class Table {
 public:
  virtual ~Table() = default;
  virtual Result<std::optional<T>> find(const std::string& id) = 0;
  /// All documents, in the order of their ids.
  virtual Result<std::vector<T>> all() = 0;
  /// Documents whose top-level text field `field` (an indexed one, see the document) equals `value`, the
  /// greatest ids first, at most `most`.
  virtual Result<std::vector<T>> where(std::string_view field, const std::string& value,
                                       std::size_t most) = 0;
  /// Inserts or replaces.
  virtual Status put(const T& document) = 0;
  /// False if a document with this id is there already (it is left as it is).
  virtual Result<bool> insert(const T& document) = 0;
  /// Removing what is not there is a success.
  virtual Status remove(const std::string& id) = 0;
};

}  // namespace slipway::ports
