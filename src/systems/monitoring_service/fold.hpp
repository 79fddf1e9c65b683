#pragma once

#include <string_view>
#include <vector>

#include "messages/machine_sample.hpp"
#include "ports/stores/columns.hpp"

namespace slipway::monitoring_service {

/// The container id under which a machine's containers that are not ours are stored, as one sum.
inline constexpr std::string_view kOthers = "others";

// Each adds one row to the minute, under its metrics' names ("cpu.used", "fs./var.used", "net.eth0.rx_bps";
// dots in the names of mounts and interfaces are percent-escaped). False: the row is there already.
bool fold_machine(const messages::MachineSample& sample, ports::Columns& columns);
bool fold_container(const messages::MachineSample& sample, const messages::ContainerSample& container,
                    ports::Columns& columns);
bool fold_others(const messages::MachineSample& sample,
                 const std::vector<const messages::ContainerSample*>& containers, ports::Columns& columns);

}  // namespace slipway::monitoring_service
