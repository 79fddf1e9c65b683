#include "adapters/repository/format.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "adapters/repository/collection.hpp"

namespace slipway::repository {

Status claim_format(const Connection& connection) {
  const Collection installation(connection, "installation");
  SLIPWAY_ASSIGN(const bool first, installation.insert({{"_id", "format"}, {"version", kFormat}}));
  if (first) return {};
  SLIPWAY_ASSIGN(const auto stored, installation.find_one({{"_id", "format"}}));
  const int version = stored ? stored->value("version", 0) : 0;
  if (version > kFormat)
    return invalid("repository.newer",
                   fmt::format("a newer Slipway writes to this database (format {}, this one knows {})",
                               version, kFormat),
                   "start the newer version, or give this one a database of its own");
  if (version == kFormat) return {};
  const auto raised =
      installation.update({{"_id", "format"}, {"version", version}}, {{"$set", {{"version", kFormat}}}});
  return raised ? Status{} : Status{raised.error()};  // false: another server was faster
}

}  // namespace slipway::repository
