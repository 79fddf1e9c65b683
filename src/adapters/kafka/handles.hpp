#pragma once

#include <librdkafka/rdkafka.h>

#include <memory>

namespace slipway::kafka {

/// Deleter of a C handle: Free<rd_kafka_event_destroy>.
template <auto Function>
struct Free {
  template <class T>
  void operator()(T* handle) const noexcept {
    Function(handle);
  }
};

using Conf = std::unique_ptr<rd_kafka_conf_t, Free<rd_kafka_conf_destroy>>;
using Client = std::unique_ptr<rd_kafka_t, Free<rd_kafka_destroy>>;
using Queue = std::unique_ptr<rd_kafka_queue_t, Free<rd_kafka_queue_destroy>>;
using Event = std::unique_ptr<rd_kafka_event_t, Free<rd_kafka_event_destroy>>;
using Message = std::unique_ptr<rd_kafka_message_t, Free<rd_kafka_message_destroy>>;
using PartitionList =
    std::unique_ptr<rd_kafka_topic_partition_list_t, Free<rd_kafka_topic_partition_list_destroy>>;
using Metadata = std::unique_ptr<const rd_kafka_metadata_t, Free<rd_kafka_metadata_destroy>>;
using KafkaError = std::unique_ptr<rd_kafka_error_t, Free<rd_kafka_error_destroy>>;
using Topic = std::unique_ptr<rd_kafka_topic_t, Free<rd_kafka_topic_destroy>>;
using Headers = std::unique_ptr<rd_kafka_headers_t, Free<rd_kafka_headers_destroy>>;
using NewTopic = std::unique_ptr<rd_kafka_NewTopic_t, Free<rd_kafka_NewTopic_destroy>>;
using ConfigResource = std::unique_ptr<rd_kafka_ConfigResource_t, Free<rd_kafka_ConfigResource_destroy>>;
using AdminOptions = std::unique_ptr<rd_kafka_AdminOptions_t, Free<rd_kafka_AdminOptions_destroy>>;

}  // namespace slipway::kafka
