#include "meta_file/service_spec.hpp"

#include <fmt/format.h>

#include <concepts>
#include <limits>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <utility>

// Each struct lists its fields once, in visit(); Writer and Reader are the two directions.
namespace slipway::meta_file {
namespace {

using Json = nlohmann::json;

template <class E>
using Words = std::initializer_list<std::pair<E, const char*>>;
Words<ImageSource> words(ImageSource) {
  static constexpr auto kWords = {std::pair{ImageSource::kRuntime, "runtime"},
                                  {ImageSource::kDockerfile, "dockerfile"},
                                  {ImageSource::kImage, "image"}};
  return kWords;
}
Words<HealthCheck::Kind> words(HealthCheck::Kind) {
  using Kind = HealthCheck::Kind;
  static constexpr auto kWords = {
      std::pair{Kind::kHttp, "http"}, {Kind::kTcp, "tcp"}, {Kind::kTest, "test"}, {Kind::kNone, "none"}};
  return kWords;
}
Words<RestartPolicy::Kind> words(RestartPolicy::Kind) {
  using Kind = RestartPolicy::Kind;
  static constexpr auto kWords = {
      std::pair{Kind::kAlways, "always"}, {Kind::kOnFailure, "on-failure"}, {Kind::kNever, "never"}};
  return kWords;
}

template <class V>
void visit(V& v, PortMapping& port) {
  v("name", port.name);
  v("target", port.target);
  v("published", port.published);
  v("host_ip", port.host_ip);
  v("protocol", port.protocol);
}
template <class V>
void visit(V& v, VolumeMount& volume) {
  v("name", volume.name);
  v("path", volume.path);
  v("read_only", volume.read_only);
}
template <class V>
void visit(V& v, SecretNeed& need) {
  v("name", need.name);
  v("target", need.target);
}
template <class V>
void visit(V& v, HealthCheck& health) {
  v("kind", health.kind);
  v("path", health.path);
  v("port", health.port);
  v("argv", health.argv);
  v("interval_ms", health.interval);
  v("timeout_ms", health.timeout);
  v("start_period_ms", health.start_period);
  v("retries", health.retries);
}
template <class V>
void visit(V& v, RestartPolicy& restart) {
  v("kind", restart.kind);
  v("max_retries", restart.max_retries);
}
template <class V>
void visit(V& v, Update& update) {
  v("healthy_for_ms", update.healthy_for);
  v("deadline_ms", update.deadline);
}
template <class V>
void visit(V& v, Location& location) {
  v("site", location.site);
  v("room", location.room);
  v("lat", location.lat);
  v("lon", location.lon);
  v("alt", location.alt);
}
template <class V>
void visit(V& v, SensorField& field) {
  v("unit", field.unit);
  v("type", field.type);
  v("min", field.min);
  v("max", field.max);
  v("description", field.description);
}
template <class V>
void visit(V& v, SensorNeed& need) {
  v("name", need.name);
  v("type", need.type);
  v("location", need.location);
  v("rate", need.rate);
  v("period_ms", need.period);
  v("fields", need.fields);
  v("required", need.required);
}
template <class V>
void visit(V& v, ServiceSpec& spec) {
  v("name", spec.name);
  v("version", spec.version);
  v("description", spec.description);
  v("owner", spec.owner);
  v("labels", spec.labels);
  v("image_source", spec.image_source);
  v("runtime", spec.runtime);
  v("runtime_version", spec.runtime_version);
  v("image", spec.image);
  v("dockerfile", spec.dockerfile);
  v("build_args", spec.build_args);
  v("build_packages", spec.build_packages);
  v("build_steps", spec.build_steps);
  v("build_artifacts", spec.build_artifacts);
  v("command", spec.command);
  v("entrypoint", spec.entrypoint);
  v("user", spec.user);
  v("working_dir", spec.working_dir);
  v("env", spec.env);
  v("secrets", spec.secrets);
  v("ports", spec.ports);
  v("volumes", spec.volumes);
  v("network", spec.network);
  v("cpus", spec.cpus);
  v("memory_bytes", spec.memory_bytes);
  v("pids", spec.pids);
  v("read_only", spec.read_only);
  v("healthcheck", spec.healthcheck);
  v("restart", spec.restart);
  v("stop_signal", spec.stop_signal);
  v("stop_grace_period_ms", spec.stop_grace_period);
  v("replicas", spec.replicas);
  v("update", spec.update);
  v("sensors", spec.sensors);
  v("topics", spec.topics);
}

template <class T>
concept Enumeration = std::is_enum_v<T>;

struct Writer {
  Json json = Json::object();

  template <class T>
  void operator()(const char* key, const T& value) {
    json[key] = write(value);
  }

  template <class T>
  static Json write(const T& value) {
    if constexpr (std::same_as<T, milliseconds>) {
      return value.count();
    } else if constexpr (std::constructible_from<Json, T>) {
      return value;
    } else {
      Writer inner;
      visit(inner, const_cast<T&>(value));  // visit() serves both directions; this one only looks
      return std::move(inner.json);
    }
  }
  template <Enumeration E>
  static Json write(const E& value) {
    for (const auto& [known, word] : words(value))
      if (known == value) return word;
    return nullptr;
  }
  template <class T>
  static Json write(const std::optional<T>& value) {
    return value ? write(*value) : Json();
  }
  template <class T>
  static Json write(const std::vector<T>& values) {
    Json all = Json::array();
    for (const auto& value : values) all.push_back(write(value));
    return all;
  }
  template <class T>
  static Json write(const std::map<std::string, T>& values) {
    Json all = Json::object();
    for (const auto& [key, value] : values) all[key] = write(value);
    return all;
  }
};

// Throws std::invalid_argument or nlohmann's own for a wrong type; caught in spec_from_json.
struct Reader {
  const Json& json;

  template <class T>
  void operator()(const char* key, T& value) {
    if (const auto found = json.find(key); found != json.end()) read(*found, value);
  }

  static void read(const Json& from, std::string& value) { value = from.get_ref<const std::string&>(); }
  static void read(const Json& from, bool& value) { value = from.get<bool>(); }
  static void read(const Json& from, double& value) {
    if (!from.is_number()) throw std::invalid_argument("a number is wanted");
    value = from.get<double>();
  }
  template <std::unsigned_integral T>
  static void read(const Json& from, T& value) {
    if (!from.is_number_integer() || (!from.is_number_unsigned() && from.get<std::int64_t>() < 0) ||
        from.get<std::uint64_t>() > std::numeric_limits<T>::max())
      throw std::invalid_argument("a whole number in range is wanted");
    value = static_cast<T>(from.get<std::uint64_t>());
  }
  static void read(const Json& from, milliseconds& value) {
    std::uint64_t count = 0;
    read(from, count);
    value = milliseconds{static_cast<std::int64_t>(count)};
  }
  template <Enumeration E>
  static void read(const Json& from, E& value) {
    for (const auto& [known, word] : words(value))
      if (from == word) return void(value = known);
    throw std::invalid_argument("an unknown word: " + from.dump());
  }
  template <class T>
  static void read(const Json& from, std::optional<T>& value) {
    value.reset();
    if (!from.is_null()) read(from, value.emplace());
  }
  template <class T>
  static void read(const Json& from, std::vector<T>& values) {
    values.clear();
    for (const auto& item : from.get_ref<const Json::array_t&>()) read(item, values.emplace_back());
  }
  template <class T>
  static void read(const Json& from, std::map<std::string, T>& values) {
    values.clear();
    for (const auto& [key, item] : from.get_ref<const Json::object_t&>()) read(item, values[key]);
  }
  template <class T>
    requires std::is_class_v<T>
  static void read(const Json& from, T& value) {
    Reader inner{from};
    static_cast<void>(from.get_ref<const Json::object_t&>());
    visit(inner, value);
  }
};

}  // namespace

nlohmann::json to_json(const ServiceSpec& spec) {
  return Writer::write(spec);
}

Result<ServiceSpec> spec_from_json(const nlohmann::json& json) {
  ServiceSpec spec;
  try {
    Reader::read(json, spec);
  } catch (const std::exception& error) {
    return Error{ErrorKind::kCorrupt, "meta.stored",
                 fmt::format("reading a stored service: {}", error.what())};
  }
  return spec;
}

}  // namespace slipway::meta_file
