#include "ports/dead_letter.hpp"

namespace slipway::ports {
namespace {

constexpr std::size_t kMostOfAHeader = 2000;

}  // namespace

Status write_dead_letter(Bus& bus, const std::string& deadletter_topic, const std::string& source,
                         const Record& record, const Error& reason) {
  Outgoing letter{.topic = deadletter_topic,
                  .key = record.key.value_or(""),
                  .value = record.value,
                  .source = source,
                  .type = "slipway.deadletter.v1",
                  .subject = record.place(),
                  .event_id = record.place(),
                  .more_headers = {{"slipway_topic", record.topic},
                                   {"slipway_partition", std::to_string(record.partition)},
                                   {"slipway_offset", std::to_string(record.offset)},
                                   {"slipway_reason", reason.code},
                                   {"slipway_message", to_string(reason).substr(0, kMostOfAHeader)}}};
  for (const auto& [name, value] : record.headers)
    letter.more_headers.push_back({"original_" + name, value.substr(0, kMostOfAHeader)});
  Status status = bus.publish(letter);
  if (!status && status.error().code == "kafka.too_large" &&
      record.value) {  // its place says where the bytes are
    letter.value = "";
    letter.more_headers.push_back(
        {"slipway_value", "left out, " + std::to_string(record.value->size()) + " bytes"});
    status = bus.publish(letter);
  }
  if (status) return status;
  return unavailable("deadletter.failed", "writing a dead letter: " + to_string(status.error()));
}

}  // namespace slipway::ports
