#pragma once

#include <string>
#include <vector>

namespace slipway::check {

/// One thing that is not as the journal says.
struct Finding {
  std::string code;  ///< stable, such as "container.unknown"
  std::string
      where;  ///< "edge-1/shop-3-1", "deployment r-1 of shop": with the code, the same thing next time
  std::string what;
  std::string fix;
  bool is_same(const Finding& other) const { return code == other.code && where == other.where; }
};

using Findings = std::vector<Finding>;

}  // namespace slipway::check
