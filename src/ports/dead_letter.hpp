#pragma once

#include <string>

#include "base/result.hpp"
#include "ports/bus.hpp"

namespace slipway::ports {

/// Puts a record that nobody can use where an operator finds it: the original bytes and headers, with its
/// place and the reason (slipway_topic, _partition, _offset, _reason, _message). Success means that it is
/// there; every failure is to be retried.
Status write_dead_letter(Bus& bus, const std::string& deadletter_topic, const std::string& source,
                         const Record& record, const Error& reason);

}  // namespace slipway::ports
