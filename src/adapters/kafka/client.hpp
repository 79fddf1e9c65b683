#pragma once

#include <map>
#include <string>

#include "adapters/kafka/handles.hpp"
#include "adapters/kafka/settings.hpp"
#include "base/result.hpp"

namespace slipway::kafka {

using Properties = std::map<std::string, std::string>;

/// Defaults, then the settings' properties, then `needed`. kInvalid `kafka.setting` names what is wrong.
Result<Conf> make_conf(const KafkaSettings& settings, const Properties& defaults, const Properties& needed);
/// Takes the conf.
Result<Client> make_client(rd_kafka_type_t type, Conf conf);

PartitionList make_partition_list();

}  // namespace slipway::kafka
