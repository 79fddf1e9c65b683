#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "messages/parsed.hpp"

namespace slipway::messages {

/// "Which machine?" (Deployment Manager -> Scheduler).
struct PlacementRequest {
  std::string request_id;
  std::string service_id;
  std::string correlation_id;  ///< opaque, echoed
};

/// The machine and why; or why not, for each machine.
struct PlacementReply {
  std::string request_id;
  std::string service_id;
  std::string correlation_id;
  std::string machine;  ///< empty: none fits, see error
  std::string reason;
  std::map<std::string, std::string> refused;  ///< machine -> why not
  std::optional<Error> error;
};

Result<Parsed<PlacementRequest>> parse_placement_request(std::string_view json,
                                                         const std::optional<std::string>& key,
                                                         const RecordPlace& place);
std::string to_json(const PlacementRequest& request);
Result<PlacementReply> parse_placement_reply(std::string_view json);
std::string to_json(const PlacementReply& reply);

}  // namespace slipway::messages
