#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "meta_file/document.hpp"

namespace slipway::meta_file {

/// One thing that is wrong, before it gets its file name.
struct Problem {
  std::string code;
  std::string message;
  std::string hint;
  Place place;
  const Node* node = nullptr;  ///< the value that is wrong; nullptr for keys and missing fields
};

/// Every way in which `root` breaks `schema`, in the order of the walk. Speaks to people where a validator
/// only says no: codes, hints ("did you mean"), what is allowed. Knows the keywords of
/// known_schema_keywords(); the schema may use no others. `schema` and `root` must outlive the problems.
std::vector<Problem> explain_by_schema(const nlohmann::json& schema, const Node& root);

const std::vector<std::string>& known_schema_keywords();

/// The same question to a complete validator (valijson): nothing if `root` keeps the schema, else where and
/// why not. The judge, in case that the explanation overlooks something. Scalars must not be longer than the
/// schema allows: its regular expressions recurse.
std::optional<std::string> violates_schema(const nlohmann::json& schema, const Node& root);

}  // namespace slipway::meta_file
