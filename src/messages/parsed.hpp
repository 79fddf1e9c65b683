#pragma once

#include <optional>
#include <string>

#include "base/result.hpp"

namespace slipway::messages {

/// Where a message without a request id gets one from: a redelivered record yields the same id.
struct RecordPlace {
  std::string cluster_id;
  std::string topic;
  int partition = 0;
  long long offset = 0;
  long long timestamp_ms = 0;
};

/// "k-" + 24 hex digits of a SHA-256 over the place.
std::string derived_request_id(const RecordPlace& place);

/// True for ^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$: what people and scripts may choose.
bool is_request_id(std::string_view text);
/// The same up to 80 characters: a question of the Deployment Manager is its request's id with an ending.
bool is_question_id(std::string_view text);

/// A request as far as it could be read. With a refusal its id is known, so the sender gets an answer with
/// every problem; a message without a readable id is an Error of parse() instead and goes to the dead-letter
/// topic.
template <class T>
struct Parsed {
  T request;
  std::optional<Error> refusal;
};

}  // namespace slipway::messages
