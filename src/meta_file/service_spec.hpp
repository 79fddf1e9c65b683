#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace slipway::meta_file {

using std::chrono::milliseconds;

/// How the image of a service comes into being.
enum class ImageSource {
  kRuntime,     ///< a generated Dockerfile (dockerfile.hpp)
  kDockerfile,  ///< the service's own: ServiceSpec::dockerfile, a path in the source
  kImage,       ///< prebuilt: ServiceSpec::image; nothing is built
};

struct PortMapping {
  std::string name;                   ///< empty if it has none
  std::uint16_t target = 0;           ///< inside the container
  std::uint16_t published = 0;        ///< on the machine; 0 = the Engine picks a free one
  std::string host_ip = "127.0.0.1";  ///< address of the machine on which it is published
  std::string protocol = "tcp";       ///< tcp or udp
  bool operator==(const PortMapping&) const = default;
};

/// A named volume of the machine's Engine.
struct VolumeMount {
  std::string name;
  std::string path;  ///< inside the container
  bool read_only = false;
  bool operator==(const VolumeMount&) const = default;
};

/// A secret of the installation, delivered as the file /run/secrets/<target>.
struct SecretNeed {
  std::string name;
  std::string target;  ///< file name; the secret's name if the meta says nothing else
  bool operator==(const SecretNeed&) const = default;
};

struct HealthCheck {
  enum class Kind {
    kHttp,
    kTcp,
    kTest,
    kNone,  ///< healthy = still running after `update.healthy_for`; no HEALTHCHECK
  };
  Kind kind = Kind::kNone;
  std::string path;               ///< http
  std::uint16_t port = 0;         ///< http and tcp
  std::vector<std::string> argv;  ///< test: run inside the container, exit code 0 is healthy
  milliseconds interval{30'000};
  milliseconds timeout{2'000};
  milliseconds start_period{20'000};
  std::uint32_t retries = 3;
  bool operator==(const HealthCheck&) const = default;
};

struct RestartPolicy {
  enum class Kind { kAlways, kOnFailure, kNever };
  Kind kind = Kind::kAlways;
  std::uint32_t max_retries = 0;  ///< on-failure only; 0 = no limit
  bool operator==(const RestartPolicy&) const = default;
};

struct Update {
  milliseconds healthy_for{5'000};  ///< healthy without a break for so long counts
  milliseconds deadline{300'000};   ///< from `started` to `healthy`
  bool operator==(const Update&) const = default;
};

struct Location {
  std::string site;
  std::string room;
  std::optional<double> lat, lon, alt;
  bool operator==(const Location&) const = default;
};

struct SensorField {
  std::string unit;             ///< UCUM, or empty
  std::string type = "number";  ///< number integer boolean string
  std::optional<double> min, max;
  std::string description;
  bool operator==(const SensorField&) const = default;
};

struct SensorNeed {
  std::string name;  ///< the service's own word for it; unique within the service
  std::string type;
  std::optional<Location> location;
  std::string rate;                    ///< as written ("12/min"), or empty
  std::optional<milliseconds> period;  ///< the same as the time between two readings
  std::map<std::string, SensorField> fields;
  bool required = false;  ///< no matching sensor: the deployment fails at `bound`
  bool operator==(const SensorNeed&) const = default;
};

/// A valid meta file with its defaults filled in: what a release stores and the stages act on.
struct ServiceSpec {
  std::string name;
  std::string version;  ///< the user's label, or empty
  std::string description;
  std::string owner;
  std::map<std::string, std::string> labels;

  ImageSource image_source = ImageSource::kRuntime;
  std::string runtime;          ///< "python" if image_source is kRuntime
  std::string runtime_version;  ///< "3.11", or empty
  std::string image;            ///< kImage
  std::string dockerfile;       ///< kDockerfile
  std::map<std::string, std::string> build_args;
  std::vector<std::string> build_packages;
  std::vector<std::string> build_steps;
  std::vector<std::string> build_artifacts;  ///< cpp: paths of the build stage that the service needs too

  std::vector<std::string> command;     ///< exact words; empty = the image's
  std::vector<std::string> entrypoint;  ///< empty = the image's
  std::string user;                     ///< "uid", "uid:gid" or a name; empty = the default (DETAILS.md)
  std::string working_dir;              ///< empty = the image's
  std::map<std::string, std::string> env;
  std::vector<SecretNeed> secrets;
  std::vector<PortMapping> ports;
  std::vector<VolumeMount> volumes;
  std::string network = "bridge";  ///< bridge or none
  double cpus = 1.0;
  std::uint64_t memory_bytes = 256ULL << 20;
  std::uint32_t pids = 256;
  bool read_only = false;  ///< root file system

  HealthCheck healthcheck;
  RestartPolicy restart;
  std::string stop_signal = "SIGTERM";
  milliseconds stop_grace_period{10'000};
  std::uint32_t replicas = 1;
  Update update;

  std::vector<SensorNeed> sensors;
  std::vector<std::string> topics;  ///< that the service publishes to

  bool operator==(const ServiceSpec&) const = default;
};

/// Canonical: keys sorted, every field present, durations in ms. What a release stores.
nlohmann::json to_json(const ServiceSpec& spec);
/// The reverse. A missing field takes its default (older releases), a wrong type is kCorrupt `meta.stored`.
Result<ServiceSpec> spec_from_json(const nlohmann::json& json);

}  // namespace slipway::meta_file
