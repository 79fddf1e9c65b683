// The only file that includes valijson: it takes long to compile.
#include <fmt/format.h>

#include <cmath>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <optional>

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wpedantic"
#include <valijson/adapters/nlohmann_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validation_results.hpp>
#include <valijson/validator.hpp>
#pragma GCC diagnostic pop

#include "base/text.hpp"
#include "meta_file/schema_check.hpp"

namespace slipway::meta_file {
namespace {

using Json = nlohmann::json;
using Adapter = valijson::adapters::NlohmannJsonAdapter;

Json scalar_json(const Node& node) {
  const double number = std::strtod(node.text.c_str(), nullptr);
  switch (meaning_of(node)) {
    case Meaning::kNull:
      return nullptr;
    case Meaning::kBoolean:
      return node.text[0] == 't' || node.text[0] == 'T';
    case Meaning::kInteger:
      if (std::abs(number) < 9e15) return static_cast<std::int64_t>(number);
      return number;
    case Meaning::kNumber:
      return std::isfinite(number) ? Json(number) : Json(node.text);
    default:
      return node.text;
  }
}

Json json_of(const Node& node) {
  if (node.is_scalar()) return scalar_json(node);
  if (node.is_sequence()) {
    Json items = Json::array();
    for (const auto& item : node.items) items.push_back(json_of(item));
    return items;
  }
  Json map = Json::object();
  for (const auto& entry : node.entries) map[entry.key] = json_of(entry.value);
  return map;
}

}  // namespace

std::optional<std::string> violates_schema(const Json& schema_json, const Node& root) {
  valijson::Schema schema;
  valijson::SchemaParser parser(valijson::SchemaParser::kDraft7);
  parser.populateSchema(Adapter(schema_json), schema);
  const Json document = json_of(root);
  valijson::ValidationResults results;
  valijson::Validator validator;
  if (validator.validate(schema, Adapter(document), &results)) return std::nullopt;
  valijson::ValidationResults::Error first;
  if (!results.popError(first)) return "the schema does not allow it";
  std::string path;
  for (const auto& part : first.context) path += part;
  return escape_for_people(fmt::format("{}: {}", path, first.description));
}

}  // namespace slipway::meta_file
