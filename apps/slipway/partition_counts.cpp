#include "partition_counts.hpp"

#include <fmt/format.h>

#include <map>
#include <string>

namespace slipway {
namespace {

using ports::TopicDocument;

Error changed(const TopicDocument& recorded, int partitions) {
  return conflict("kafka.partitions_changed",
                  fmt::format("topic {} has {} partitions, recorded are {}", recorded.name, partitions,
                              recorded.partitions),
                  fmt::format("records of one key may now lie in two partitions; to accept it, stop all "
                              "Slipway servers, remove the document {} from the Repository's collection "
                              "topics, and start them again",
                              recorded.name));
}

Result<std::map<std::string, TopicDocument>> recorded_topics(ports::Repository& repository) {
  SLIPWAY_ASSIGN(auto documents, repository.topics().all());
  std::map<std::string, TopicDocument> out;
  for (auto& document : documents) out.emplace(document.name, std::move(document));
  return out;
}

}  // namespace

Result<ChangedCounts> check_partition_counts(ports::Bus& bus, ports::Repository& repository,
                                             const Clock& clock, const messages::Topics& topics) {
  std::vector<std::string> names;
  for (const auto& spec : topics.all()) names.push_back(spec.name);
  SLIPWAY_ASSIGN(const auto cluster_id, bus.cluster_id());
  SLIPWAY_ASSIGN(const auto counts, bus.partition_counts(names));
  SLIPWAY_ASSIGN(const auto recorded, recorded_topics(repository));
  ChangedCounts out;
  for (const auto& name : names) {
    const auto count = counts.find(name);
    if (count == counts.end()) return unavailable("kafka.unavailable", "no leader yet for topic " + name);
    const auto before = recorded.find(name);
    if (before == recorded.end()) {
      // Another server that starts now may be first: it saw the same topics.
      SLIPWAY_TRY(repository.topics().insert({name, cluster_id, count->second, clock.now()}));
    } else if (before->second.cluster_id != cluster_id) {
      SLIPWAY_TRY(repository.topics().put({name, cluster_id, count->second, clock.now()}));
    } else if (before->second.partitions != count->second) {
      auto error = changed(before->second, count->second);
      if (name == topics.machine_stats)
        out.refused = std::move(error);
      else
        out.warned.push_back(std::move(error));
    }
  }
  return out;
}

}  // namespace slipway
