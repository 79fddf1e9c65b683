#pragma once

#include <librdkafka/rdkafka.h>

#include <string>
#include <string_view>

#include "base/result.hpp"

namespace slipway::kafka {

/// The one place where librdkafka's codes become ours. `doing` says what was being done. `detail` replaces
/// the code's own text where there is a better one.
Error kafka_error(rd_kafka_resp_err_t code, std::string_view doing, const std::string& detail = {});

}  // namespace slipway::kafka
