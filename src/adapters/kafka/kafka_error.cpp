#include "adapters/kafka/kafka_error.hpp"

#include <fmt/format.h>

namespace slipway::kafka {
namespace {

struct Meaning {
  ErrorKind kind;
  const char* code;
};

Meaning meaning_of(rd_kafka_resp_err_t code) {
  switch (code) {
    case RD_KAFKA_RESP_ERR__MSG_TIMED_OUT:
    case RD_KAFKA_RESP_ERR__TIMED_OUT:
    case RD_KAFKA_RESP_ERR__TIMED_OUT_QUEUE:
    case RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT:
      return {ErrorKind::kUnknown, "kafka.timeout"};
    case RD_KAFKA_RESP_ERR__FATAL:
    case RD_KAFKA_RESP_ERR__PURGE_QUEUE:
    case RD_KAFKA_RESP_ERR__PURGE_INFLIGHT:
    case RD_KAFKA_RESP_ERR__DESTROY:
      return {ErrorKind::kUnknown, "kafka.closed"};
    case RD_KAFKA_RESP_ERR__QUEUE_FULL:
      return {ErrorKind::kUnavailable, "kafka.queue_full"};
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
      return {ErrorKind::kNotFound, "kafka.no_topic"};
    case RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION:
      return {ErrorKind::kInvalid, "kafka.topic_name"};
    case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
      return {ErrorKind::kInvalid, "kafka.too_large"};
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED:
    case RD_KAFKA_RESP_ERR__AUTHENTICATION:
      return {ErrorKind::kDenied, "kafka.denied"};
    case RD_KAFKA_RESP_ERR__STATE:
      return {ErrorKind::kConflict, "kafka.not_assigned"};
    case RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID:
    case RD_KAFKA_RESP_ERR_NON_EMPTY_GROUP:
      return {ErrorKind::kConflict, "kafka.group_active"};
    case RD_KAFKA_RESP_ERR__INVALID_ARG:
      return {ErrorKind::kInvalid, "kafka.setting"};
    default:
      return {ErrorKind::kUnavailable, "kafka.unavailable"};
  }
}

}  // namespace

Error kafka_error(rd_kafka_resp_err_t code, std::string_view doing, const std::string& detail) {
  const Meaning meaning = meaning_of(code);
  Error error{meaning.kind, meaning.code,
              fmt::format("{}: {}", doing, detail.empty() ? rd_kafka_err2str(code) : detail)};
  if (meaning.kind == ErrorKind::kDenied)
    error.hint = "the README lists the rights that each Kafka user needs";
  return error;
}

}  // namespace slipway::kafka
