#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "messages/sensor.hpp"
#include "ports/stores/codec.hpp"
#include "ports/stores/reader.hpp"

// What the codecs of the documents are made of; only for the .cpp files beside it. Each specializes write()
// and read() for its documents and names them to SLIPWAY_DOCUMENT, which makes to_document() and
// from_document() of the two.
namespace slipway::ports::codec {

using nlohmann::json;

/// The fields of a document but its `_id`.
template <class T>
json write(const T& document);
template <class T>
void read(const Reader& from, T& document);

template <class T>
json or_null(const std::optional<T>& value) {
  return value ? json(*value) : json();
}
json date_or_null(const std::optional<WallTime>& time);
/// Object of texts, keys escaped.
json text_map(const std::map<std::string, std::string>& texts);
json write_topics(const std::map<std::string, messages::BoundTopic>& topics);
void read_topics(const Reader& from, std::map<std::string, messages::BoundTopic>& topics);

/// Names the document by its `_id` and says what is wrong with it.
Error corrupt(const json& document, const std::string& problem);

template <class T>
json to_document(const T& value) {
  json document = write(value);
  document["_id"] = value.id();
  return document;
}

template <class T>
Result<T> from_document(const json& document) {
  T value;
  std::string problem;
  if (!document.is_object()) return corrupt(document, problem);
  read(Reader(document, problem), value);
  if (!problem.empty()) return corrupt(document, problem);
  return value;
}

#define SLIPWAY_DOCUMENT(T)            \
  template json to_document(const T&); \
  template Result<T> from_document(const json&);

}  // namespace slipway::ports::codec
