#include "ports/stores/topics.hpp"

#include "ports/stores/codec_parts.hpp"

namespace slipway::ports::codec {

template <>
json write(const TopicDocument& t) {
  return {
      {"name", t.name}, {"cluster_id", t.cluster_id}, {"partitions", t.partitions}, {"since", date(t.since)}};
}

template <>
void read(const Reader& from, TopicDocument& t) {
  t.name = from.text("name");
  t.cluster_id = from.text("cluster_id");
  t.partitions = from.small("partitions");
  t.since = from.date("since");
}

SLIPWAY_DOCUMENT(TopicDocument)

}  // namespace slipway::ports::codec
