#include "gateway/openapi.hpp"

#include <nlohmann/json.hpp>

#include "gateway/openapi_text.hpp"
#include "meta_file/document.hpp"

namespace slipway::gateway {
namespace {

using meta_file::Meaning;
using meta_file::Node;
using nlohmann::json;

json value_of(const Node& node) {
  if (node.is_sequence()) {
    json items = json::array();
    for (const Node& item : node.items) items.push_back(value_of(item));
    return items;
  }
  if (node.is_map()) {
    json map = json::object();
    for (const Node::Entry& entry : node.entries) map[entry.key] = value_of(entry.value);
    return map;
  }
  if (node.quoted) return node.text;
  switch (meta_file::meaning_of(node)) {
    case Meaning::kNull:
      return nullptr;
    case Meaning::kBoolean:
    case Meaning::kInteger:
    case Meaning::kNumber:
      return json::parse(node.text, nullptr, false);
    default:
      return node.text;
  }
}

}  // namespace

Result<json> openapi() {
  SLIPWAY_ASSIGN(const auto document,
                 meta_file::Document::parse("openapi.yaml", kOpenapiText, {1 << 20, 64, 100'000}));
  return value_of(document.root());
}

}  // namespace slipway::gateway
