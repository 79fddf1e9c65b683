#include "base/failpoint.hpp"

#include <nlohmann/json.hpp>
#include <ostream>

#include "cli/commands.hpp"
#include "cli/output.hpp"

namespace slipway::cli {

int list_failpoints(Session& session) {
  auto values = nlohmann::json::array();
  Table table({"NAME", "WHEN"});
  for (const auto& [name, when] : failpoints()) {
    values.push_back({{"name", name}, {"when", when}});
    table.add({std::string(name), std::string(when)});
  }
  if (!write_value(session, values)) session.world.out << table.render();
  return 0;
}

}  // namespace slipway::cli
