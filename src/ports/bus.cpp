#include "ports/bus.hpp"

#include <fmt/format.h>

#include "base/ids.hpp"
#include "base/time_text.hpp"

namespace slipway::ports {

std::string Record::place() const {
  return fmt::format("{}[{}]@{}", topic, partition, offset);
}

std::vector<Header> headers_of(const Outgoing& record, WallTime now) {
  std::vector<Header> headers{{"ce_specversion", "1.0"},
                              {"ce_id", record.event_id.empty() ? make_uuid() : record.event_id},
                              {"ce_source", record.source},
                              {"ce_type", record.type},
                              {"ce_time", to_rfc3339(now)}};
  if (!record.subject.empty()) headers.push_back({"ce_subject", record.subject});
  headers.push_back({"content-type", "application/json"});
  headers.insert(headers.end(), record.more_headers.begin(), record.more_headers.end());
  return headers;
}

std::optional<std::string> find_header(const Record& record, std::string_view name) {
  for (const Header& header : record.headers)
    if (header.name == name) return header.value;
  return std::nullopt;
}

Result<std::map<TopicPartition, std::int64_t>> Bus::end_offsets(std::span<const std::string> topics) {
  SLIPWAY_ASSIGN(const auto all, ranges(topics));
  std::map<TopicPartition, std::int64_t> out;
  for (const auto& [at, range] : all) out[at] = range.end;
  return out;
}

messages::RecordPlace place_of(const Record& record, const std::string& cluster_id) {
  return {cluster_id, record.topic, record.partition, record.offset, to_ms(record.timestamp)};
}

}  // namespace slipway::ports
