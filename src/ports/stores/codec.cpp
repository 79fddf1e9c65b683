#include "ports/stores/codec.hpp"

#include <nlohmann/json.hpp>

#include "ports/stores/deployment.hpp"
#include "ports/stores/documents.hpp"
#include "ports/stores/lane.hpp"
#include "ports/stores/leases.hpp"
#include "ports/stores/reader.hpp"

namespace slipway::ports::codec {
namespace {

using nlohmann::json;

template <class T>
json or_null(const std::optional<T>& value) {
  return value ? json(*value) : json();
}

json date_or_null(const std::optional<WallTime>& time) {
  return time ? date(*time) : json();
}

json text_map(const std::map<std::string, std::string>& texts) {
  json object = json::object();
  for (const auto& [name, text] : texts) object[escape_key(name)] = text;
  return object;
}

json write(const std::map<std::string, messages::BoundTopic>& topics) {
  json object = json::object();
  for (const auto& [name, topic] : topics)
    object[escape_key(name)] = {{"topic", topic.topic},
                                {"sensor_id", topic.sensor_id},
                                {"key", topic.key},
                                {"last_reading_at", date_or_null(topic.last_reading_at)}};
  return object;
}

void read_topics(const Reader& from, std::map<std::string, messages::BoundTopic>& topics) {
  from.each_member("topics", [&](const std::string& name, const Reader& topic) {
    topics[name] = {topic.text("topic"), topic.text("sensor_id"), topic.text("key"),
                    topic.maybe_date("last_reading_at")};
  });
}

json write(const std::optional<messages::Location>& location) {
  if (!location) return nullptr;
  return {{"site", location->site},
          {"room", location->room},
          {"lat", or_null(location->lat)},
          {"lon", or_null(location->lon)},
          {"alt", or_null(location->alt)}};
}

void read(const Reader& from, std::optional<messages::Location>& location) {
  from.object("location", [&](const Reader& place) {
    location = messages::Location{place.text("site"), place.text("room"), place.maybe_real("lat"),
                                  place.maybe_real("lon"), place.maybe_real("alt")};
  });
}

json write(const Error& error) {
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

// Each document: its fields, and back.

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
          {"topics", write(r.topics)},
          {"machine", r.machine},
          {"created_at", date(r.created_at)}};
}

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
  r.machine = from.text("machine");
  r.created_at = from.date("created_at");
}

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

json write(const Failure& f) {
  return {{"request_id", f.request_id},
          {"service_id", f.service_id},
          {"machine", f.machine},
          {"container_id", f.container_id},
          {"release", f.release},
          {"stage", f.stage},
          {"error", write(f.error)},
          {"exit_code", or_null(f.exit_code)},
          {"oom_killed", f.oom_killed},
          {"last_logs", f.last_logs},
          {"health_output", f.health_output},
          {"dockerfile", f.dockerfile},
          {"spec", f.spec},
          {"topics", write(f.topics)},
          {"at", date(f.at)}};
}

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

json write(const Service& s) {
  return {{"service_id", s.service_id},
          {"state", s.state},
          {"serving", or_null(s.serving)},
          {"version", s.version},
          {"path", s.path},
          {"machine", s.machine},
          {"last_request", s.last_request},
          {"last_error", s.last_error},
          {"since", date(s.since)}};
}

void read(const Reader& from, Service& s) {
  s.service_id = from.text("service_id");
  s.state = from.text("state");
  s.serving = from.maybe_number("serving");
  s.version = from.text("version");
  s.path = from.text("path");
  s.machine = from.text("machine");
  s.last_request = from.text("last_request");
  s.last_error = from.text("last_error");
  s.since = from.date("since");
}

json write(const ServiceHistory& h) {
  return {{"service_id", h.service_id}, {"request_id", h.request_id}, {"event", h.event},
          {"state", h.state},           {"message", h.message},       {"release", or_null(h.release)},
          {"at", date(h.at)},           {"entry_id", h.entry_id}};
}

void read(const Reader& from, ServiceHistory& h) {
  h.entry_id = from.text("entry_id");
  h.service_id = from.text("service_id");
  h.request_id = from.text("request_id");
  h.event = from.text("event");
  h.state = from.text("state");
  h.message = from.text("message");
  h.release = from.maybe_number("release");
  h.at = from.date("at");
}

json write(const messages::MachineStateReport& s) {
  return {{"machine", s.machine},
          {"state", messages::to_string(s.state)},
          {"cause", s.cause},
          {"since", date(s.since)},
          {"clock_offset_ms", s.clock_offset_ms},
          {"last_seq", s.last_seq},
          {"last_sample_at", date_or_null(s.last_sample_at)}};
}

messages::MachineStateReport read_state(const Reader& from) {
  messages::MachineStateReport s;
  s.machine = from.text("machine");
  using enum messages::MachineState;
  for (const auto state : {kUp, kSuspect, kDown})
    if (messages::to_string(state) == from.text("state")) s.state = state;
  s.cause = from.text("cause");
  s.since = from.date("since");
  s.clock_offset_ms = from.number("clock_offset_ms");
  s.last_seq = from.number("last_seq");
  s.last_sample_at = from.maybe_date("last_sample_at");
  return s;
}

json write(const MachineDocument& document) {
  const messages::Machine& m = document.machine;
  return {{"name", m.name},
          {"docker", m.docker},
          {"tls", m.tls},
          {"labels", text_map(m.labels)},
          {"origin", m.origin},
          {"facts", text_map(m.facts)},
          {"engine_error", m.engine_error},
          {"cordoned", m.cordoned},
          {"removed", m.removed},
          {"registered_at", date(m.registered_at)},
          {"state", m.state ? write(*m.state) : json()}};
}

void read(const Reader& from, MachineDocument& document) {
  messages::Machine& m = document.machine;
  m.name = from.text("name");
  m.docker = from.text("docker");
  m.tls = from.text("tls");
  m.labels = from.text_map("labels");
  m.origin = from.text("origin");
  m.facts = from.text_map("facts");
  m.engine_error = from.text("engine_error");
  m.cordoned = from.flag("cordoned");
  m.removed = from.flag("removed");
  m.registered_at = from.date("registered_at");
  from.object("state", [&](const Reader& state) { m.state = read_state(state); });
}

json write(const SensorDocument& document) {
  const messages::Sensor& s = document.sensor;
  return {{"sensor_id", s.sensor_id},
          {"type", s.type},
          {"location", write(s.location)},
          {"topic", s.topic},
          {"rate", s.rate},
          {"fields", text_map(s.fields)},
          {"simulated", s.simulated},
          {"simulated_per_second", s.simulated_per_second},
          {"registered_at", date(s.registered_at)}};
}

void read(const Reader& from, SensorDocument& document) {
  messages::Sensor& s = document.sensor;
  s.sensor_id = from.text("sensor_id");
  s.type = from.text("type");
  read(from, s.location);
  s.topic = from.text("topic");
  s.rate = from.text("rate");
  s.fields = from.text_map("fields");
  s.simulated = from.flag("simulated");
  s.simulated_per_second = from.real("simulated_per_second");
  s.registered_at = from.date("registered_at");
}

json write(const Binding& b) {
  json needs = json::array();
  for (const auto& need : b.needs)
    needs.push_back({{"name", need.name},
                     {"type", need.type},
                     {"location", write(need.location)},
                     {"rate", need.rate},
                     {"fields", text_map(need.fields)},
                     {"required", need.required}});
  return {{"service_id", b.service_id}, {"number", b.number},        {"request_id", b.request_id},
          {"needs", std::move(needs)},  {"topics", write(b.topics)}, {"at", date(b.at)}};
}

void read(const Reader& from, Binding& b) {
  b.service_id = from.text("service_id");
  b.number = from.number("number");
  b.request_id = from.text("request_id");
  from.each("needs", [&](const Reader& item) {
    messages::SensorNeed need;
    need.name = item.text("name");
    need.type = item.text("type");
    read(item, need.location);
    need.rate = item.text("rate");
    need.fields = item.text_map("fields");
    need.required = item.flag("required");
    b.needs.push_back(std::move(need));
  });
  read_topics(from, b.topics);
  b.at = from.date("at");
}

json write(const Placement& p) {
  return {{"request_id", p.request_id}, {"service_id", p.service_id},     {"machine", p.machine},
          {"reason", p.reason},         {"refused", text_map(p.refused)}, {"at", date(p.at)}};
}

void read(const Reader& from, Placement& p) {
  p.request_id = from.text("request_id");
  p.service_id = from.text("service_id");
  p.machine = from.text("machine");
  p.reason = from.text("reason");
  p.refused = from.text_map("refused");
  p.at = from.date("at");
}

json write(const TopicDocument& t) {
  return {
      {"name", t.name}, {"cluster_id", t.cluster_id}, {"partitions", t.partitions}, {"since", date(t.since)}};
}

void read(const Reader& from, TopicDocument& t) {
  t.name = from.text("name");
  t.cluster_id = from.text("cluster_id");
  t.partitions = from.small("partitions");
  t.since = from.date("since");
}

json write(const Answer& a) {
  return {{"request_id", a.request_id}, {"digest", a.digest},
          {"topic", a.topic},           {"key", a.key},
          {"reply", a.reply},           {"expires_at", date(a.expires_at)}};
}

void read(const Reader& from, Answer& a) {
  a.request_id = from.text("request_id");
  a.digest = from.text("digest");
  a.topic = from.text("topic");
  a.key = from.text("key");
  a.reply = from.text("reply");
  a.expires_at = from.date("expires_at");
}

json write(const Lane& l) {
  return {{"service_id", l.service_id},
          {"active", or_null(l.active)},
          {"queue", l.queue},
          {"epoch", l.epoch},
          {"owner", l.owner},
          {"lease", l.lease},
          {"cancel", or_null(l.cancel)},
          {"cut_over", or_null(l.cut_over)},
          {"committed", or_null(l.committed)},
          {"previous", or_null(l.previous)},
          {"wanted", to_string(l.wanted)},
          {"machines", l.machines},
          {"last_release", l.last_release},
          {"last_accepted", l.last_accepted}};
}

void read(const Reader& from, Lane& l) {
  l.service_id = from.text("_id");
  l.active = from.maybe_text("active");
  l.queue = from.texts("queue");
  l.epoch = from.number("epoch");
  l.owner = from.text("owner");
  l.lease = from.number("lease");
  l.cancel = from.maybe_text("cancel");
  l.cut_over = from.maybe_text("cut_over");
  l.committed = from.maybe_number("committed");
  l.previous = from.maybe_number("previous");
  if (const auto wanted = parse_wanted(from.text("wanted")))
    l.wanted = *wanted;
  else
    from.wrong("wanted", "running, completed, stopped or removed");
  l.machines = from.texts("machines");
  l.last_release = from.number("last_release");
  l.last_accepted = from.number("last_accepted");
}

json write(const Lease& l) {
  return {{"holder", l.holder}, {"epoch", l.epoch}, {"beat", l.beat}};
}

void read(const Reader& from, Lease& l) {
  l.name = from.text("_id");
  l.holder = from.text("holder");
  l.epoch = from.number("epoch");
  l.beat = from.number("beat");
}

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

template <class T>
std::string id_of(const T& value) {
  return value.id();
}
std::string id_of(const Lane& lane) {
  return lane.service_id;
}
std::string id_of(const Lease& lease) {
  return lease.name;
}
std::string id_of(const Deployment& deployment) {
  return deployment.request_id;
}

template <class Change>
json change_keys(const json& value, Change change) {
  if (value.is_array()) {
    json list = json::array();
    for (const auto& item : value) list.push_back(change_keys(item, change));
    return list;
  }
  if (!value.is_object()) return value;
  json object = json::object();
  for (const auto& [key, member] : value.items()) object[change(key)] = change_keys(member, change);
  return object;
}

}  // namespace

json date(WallTime time) {
  return {{"$date", to_ms(time)}};
}

std::string escape_key(std::string_view key) {
  std::string escaped;
  for (const char c : key) {
    if (c == '%')
      escaped += "%25";
    else if (c == '.')
      escaped += "%2E";
    else if (c == '$')
      escaped += "%24";
    else if (c == '\0')
      escaped += "%00";
    else
      escaped += c;
  }
  return escaped;
}

std::string unescape_key(std::string_view key) {
  std::string plain;
  for (std::size_t i = 0; i < key.size(); ++i) {
    plain += key[i];
    if (key[i] != '%' || i + 2 >= key.size()) continue;
    for (const char c : {'%', '.', '$', '\0'})
      if (key.substr(i, 3) == escape_key({&c, 1})) {
        plain.back() = c;
        i += 2;
        break;
      }
  }
  return plain;
}

json escape_keys(const json& value) {
  return change_keys(value, escape_key);
}

json unescape_keys(const json& value) {
  return change_keys(value, unescape_key);
}

template <class T>
json to_document(const T& value) {
  json document = write(value);
  document["_id"] = id_of(value);
  return document;
}

template <class T>
Result<T> from_document(const json& document) {
  const auto corrupt = [](std::string what) {
    return Error{ErrorKind::kCorrupt, "repository.corrupt", std::move(what)};
  };
  if (!document.is_object()) return corrupt("a stored document is no object");
  T value;
  std::string problem;
  read(Reader(document, problem), value);
  if (problem.empty()) return value;
  const auto id = document.find("_id");
  return corrupt("stored document " + (id == document.end() ? "?" : id->dump()) + ": " + problem);
}

#define SLIPWAY_DOCUMENT(T)            \
  template json to_document(const T&); \
  template Result<T> from_document(const json&);
SLIPWAY_DOCUMENT(Release)
SLIPWAY_DOCUMENT(Instance)
SLIPWAY_DOCUMENT(Failure)
SLIPWAY_DOCUMENT(Service)
SLIPWAY_DOCUMENT(ServiceHistory)
SLIPWAY_DOCUMENT(MachineDocument)
SLIPWAY_DOCUMENT(SensorDocument)
SLIPWAY_DOCUMENT(Binding)
SLIPWAY_DOCUMENT(Placement)
SLIPWAY_DOCUMENT(TopicDocument)
SLIPWAY_DOCUMENT(Answer)
SLIPWAY_DOCUMENT(Lane)
SLIPWAY_DOCUMENT(Lease)
SLIPWAY_DOCUMENT(Deployment)
#undef SLIPWAY_DOCUMENT

}  // namespace slipway::ports::codec
