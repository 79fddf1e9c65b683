#include "ports/dead_letter.hpp"

#include <utility>

namespace slipway::ports {
namespace {

// Of the key, and of a header's name and value: a hundred headers of that length fit into a message beside
// what we add, so that a dead letter can always be written.
constexpr std::size_t kMostOfAPart = 2000;

bool too_large(const Status& status) {
  return !status && status.error().code == "kafka.too_large";
}

// The whole of it if Kafka takes it; then without the value, then without its headers: its place says where
// the bytes are.
Status publish_what_fits(Bus& bus, Outgoing letter, const Record& record) {
  Status status = bus.publish(letter);
  if (too_large(status) && record.value) {
    letter.value = "";
    letter.more_headers.push_back(
        {"slipway_value", "left out, " + std::to_string(record.value->size()) + " bytes"});
    status = bus.publish(letter);
  }
  if (too_large(status)) {
    std::erase_if(letter.more_headers,
                  [](const Header& header) { return header.name.starts_with("original_"); });
    letter.more_headers.push_back({"slipway_headers", "left out, " + std::to_string(record.headers.size())});
    status = bus.publish(letter);
  }
  return status;
}

}  // namespace

Status write_dead_letter(Bus& bus, const std::string& deadletter_topic, const std::string& source,
                         const Record& record, const Error& reason) {
  Outgoing letter{.topic = deadletter_topic,
                  .key = record.key.value_or("").substr(0, kMostOfAPart),
                  .value = record.value,
                  .source = source,
                  .type = "slipway.deadletter.v1",
                  .subject = record.place(),
                  .event_id = record.place(),
                  .more_headers = {{"slipway_topic", record.topic},
                                   {"slipway_partition", std::to_string(record.partition)},
                                   {"slipway_offset", std::to_string(record.offset)},
                                   {"slipway_reason", reason.code},
                                   {"slipway_message", to_string(reason).substr(0, kMostOfAPart)}}};
  for (const auto& [name, value] : record.headers)
    letter.more_headers.push_back(
        {"original_" + name.substr(0, kMostOfAPart), value.substr(0, kMostOfAPart)});
  const Status status = publish_what_fits(bus, std::move(letter), record);
  if (status) return status;
  return unavailable("deadletter.failed", "writing a dead letter: " + to_string(status.error()));
}

}  // namespace slipway::ports
