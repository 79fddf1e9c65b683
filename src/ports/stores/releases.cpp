#include "ports/stores/releases.hpp"

#include <fmt/format.h>

#include "messages/deployment_status.hpp"
#include "ports/stores/codec_parts.hpp"

namespace slipway::ports {

std::string Release::id() const {
  return fmt::format("{}@{:06}", service_id, number);
}

std::string Instance::id() const {
  return fmt::format("{}-{}-{}@{}", service_id, release, replica, machine);
}

}  // namespace slipway::ports

namespace slipway::ports::codec {
namespace {

json write_error(const Error& error) {
  json value = messages::to_value(error);
  value["kind"] = to_string(error.kind);
  return value;
}

Error read_error(const json& value) {
  Error error = messages::error_from_value(value);
  for (const ErrorKind kind :
       {ErrorKind::kInvalid, ErrorKind::kNotFound, ErrorKind::kConflict, ErrorKind::kUnavailable,
        ErrorKind::kUnknown, ErrorKind::kDenied, ErrorKind::kCorrupt, ErrorKind::kInternal})
    if (value.value("kind", "") == to_string(kind)) error.kind = kind;
  return error;
}

}  // namespace

template <>
json write(const Release& r) {
  return {{"service_id", r.service_id},
          {"number", r.number},
          {"request_id", r.request_id},
          {"key", r.key},
          {"path", r.path},
          {"version", r.version},
          {"source_digest", r.source_digest},
          {"spec", r.spec},
          {"dockerfile", r.dockerfile},
          {"image_key", r.image_key},
          {"image", r.image},
          {"binding", r.binding},
          {"topics", write_topics(r.topics)},
          {"secrets", text_map(r.secrets)},
          {"machine", r.machine},
          {"created_at", date(r.created_at)}};
}

template <>
void read(const Reader& from, Release& r) {
  r.service_id = from.text("service_id");
  r.number = from.number("number");
  r.request_id = from.text("request_id");
  r.key = from.text("key");
  r.path = from.text("path");
  r.version = from.text("version");
  r.source_digest = from.text("source_digest");
  r.spec = from.text("spec");
  r.dockerfile = from.text("dockerfile");
  r.image_key = from.text("image_key");
  r.image = from.text("image");
  r.binding = from.number("binding");
  read_topics(from, r.topics);
  r.secrets = from.text_map("secrets");
  r.machine = from.text("machine");
  r.created_at = from.date("created_at");
}

template <>
json write(const Instance& i) {
  json ports = json::object();
  for (const auto& [target, address] : i.ports) ports[std::to_string(target)] = address;
  return {{"service_id", i.service_id},
          {"release", i.release},
          {"replica", i.replica},
          {"machine", i.machine},
          {"container_id", i.container_id},
          {"container_name", i.container_name},
          {"state", i.state},
          {"health", i.health},
          {"ports", std::move(ports)},
          {"since", date(i.since)}};
}

template <>
void read(const Reader& from, Instance& i) {
  i.service_id = from.text("service_id");
  i.release = from.number("release");
  i.replica = from.small("replica");
  i.machine = from.text("machine");
  i.container_id = from.text("container_id");
  i.container_name = from.text("container_name");
  i.state = from.text("state");
  i.health = from.text("health");
  for (const auto& [target, address] : from.text_map("ports")) i.ports[std::atoi(target.c_str())] = address;
  i.since = from.date("since");
}

template <>
json write(const Failure& f) {
  return {{"request_id", f.request_id},
          {"service_id", f.service_id},
          {"machine", f.machine},
          {"container_id", f.container_id},
          {"release", f.release},
          {"stage", f.stage},
          {"error", write_error(f.error)},
          {"exit_code", or_null(f.exit_code)},
          {"oom_killed", f.oom_killed},
          {"last_logs", f.last_logs},
          {"health_output", f.health_output},
          {"dockerfile", f.dockerfile},
          {"spec", f.spec},
          {"topics", write_topics(f.topics)},
          {"at", date(f.at)}};
}

template <>
void read(const Reader& from, Failure& f) {
  f.request_id = from.text("request_id");
  f.service_id = from.text("service_id");
  f.machine = from.text("machine");
  f.container_id = from.text("container_id");
  f.release = from.number("release");
  f.stage = from.text("stage");
  if (from.at("error").is_object()) f.error = read_error(from.at("error"));
  if (const auto code = from.maybe_number("exit_code")) f.exit_code = static_cast<int>(*code);
  f.oom_killed = from.flag("oom_killed");
  f.last_logs = from.texts("last_logs");
  f.health_output = from.text("health_output");
  f.dockerfile = from.text("dockerfile");
  f.spec = from.text("spec");
  read_topics(from, f.topics);
  f.at = from.date("at");
}

SLIPWAY_DOCUMENT(Release)
SLIPWAY_DOCUMENT(Instance)
SLIPWAY_DOCUMENT(Failure)

}  // namespace slipway::ports::codec
