#include "ports/stores/deployment.hpp"

#include "ports/stores/codec_parts.hpp"

namespace slipway::ports::codec {

template <>
json write(const Deployment& d) {
  json stages = json::array();
  for (const auto& stage : d.stages) stages.push_back(escape_keys(messages::to_value(stage)));
  json document = {{"request_id", d.request_id},
                   {"service_id", d.service_id},
                   {"request", escape_keys(json::parse(messages::to_json(d.request)))},
                   {"request_digest", d.request_digest},
                   {"accepted", d.accepted},
                   {"epoch", d.epoch},
                   {"stages", std::move(stages)},
                   {"published", d.published},
                   {"end", d.end ? json(messages::to_string(*d.end)) : json()},
                   {"facts", text_map(d.facts)},
                   {"created_at", date(d.created_at)},
                   {"expires_at", date(d.expires_at)}};
  if (d.open) document["open"] = true;
  if (d.unpublished) document["unpublished"] = true;
  return document;
}

template <>
void read(const Reader& from, Deployment& d) {
  d.request_id = from.text("_id");
  d.service_id = from.text("service_id");
  if (auto parsed =
          messages::parse_deployment_request(unescape_keys(from.at("request")).dump(), std::nullopt, {}))
    d.request = std::move(parsed->request);
  else
    from.wrong("request", "a deployment request");
  d.request_digest = from.text("request_digest");
  d.accepted = from.number("accepted");
  d.epoch = from.number("epoch");
  from.each("stages", [&](const Reader& stage) {
    if (auto status = messages::status_from_value(unescape_keys(stage.value())))
      d.stages.push_back(std::move(*status));
    else
      from.wrong("stages", "a list of statuses");
  });
  d.published = from.number("published");
  if (const auto end = from.maybe_text("end")) {
    d.end = messages::parse_state(*end);
    if (!d.end) from.wrong("end", "a state");
  }
  d.facts = from.text_map("facts");
  d.open = from.flag("open");
  d.unpublished = from.flag("unpublished");
  d.created_at = from.date("created_at");
  d.expires_at = from.date("expires_at");
}

SLIPWAY_DOCUMENT(Deployment)

}  // namespace slipway::ports::codec
