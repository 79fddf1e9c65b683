#pragma once

#include <string_view>

#include "adapters/kafka/handles.hpp"
#include "adapters/kafka/kafka_error.hpp"
#include "base/result.hpp"

namespace slipway::kafka {

inline constexpr int kRequestMs = 10'000;
inline constexpr int kAnswerMs = 15'000;

/// Sends one admin request by `send(options, queue)` and waits for its answer.
template <class Send>
Result<Event> ask(rd_kafka_t* client, rd_kafka_admin_op_t operation, std::string_view doing, Send send) {
  char text[512];
  const AdminOptions options(rd_kafka_AdminOptions_new(client, operation));
  rd_kafka_AdminOptions_set_request_timeout(options.get(), kRequestMs, text, sizeof text);
  const Queue queue(rd_kafka_queue_new(client));
  send(options.get(), queue.get());
  Event event(rd_kafka_queue_poll(queue.get(), kAnswerMs));
  if (!event) return kafka_error(RD_KAFKA_RESP_ERR__TIMED_OUT, doing);
  if (const auto code = rd_kafka_event_error(event.get()))
    return kafka_error(code, doing, rd_kafka_event_error_string(event.get()));
  return event;
}

}  // namespace slipway::kafka
