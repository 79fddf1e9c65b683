#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"

namespace slipway {

/// What `slipway serve` is told: from /etc/slipway/slipway.yaml or --config, then SLIPWAY_<SECTION>_<KEY>
/// from the environment, then flags. docs/running.md has the table; a test compares the two.
struct ServerSettings {
  std::string instance = "default";
  std::string state_dir;  ///< empty: this deployer's identity lasts as long as its process
  std::vector<std::string> roles{"all"};
  std::string log_level = "info";

  std::string kafka_brokers = "127.0.0.1:9092";
  std::string kafka_machine_brokers;  ///< given to agents and services; empty: as kafka_brokers
  std::string topic_prefix = "slipway.";
  std::map<std::string, std::string>
      kafka_properties;  ///< any librdkafka option, for the server's own clients
  std::map<std::string, std::string> kafka_for_agents;    ///< and for agents
  std::map<std::string, std::string> kafka_for_services;  ///< and for services

  std::string mongodb_uri = "mongodb://127.0.0.1:27017";
  std::string mongodb_database = "slipway";

  std::string http_bind = "127.0.0.1:7420";
  std::string credentials_dir = "/etc/slipway/credentials";
  std::vector<std::string> insecure_networks;  ///< CIDRs where TCP without TLS is accepted
  std::vector<std::string> unix_sockets{"/var/run/docker.sock"};
  std::vector<std::string> allowed_roots;
  std::string agent_images_dir = "/usr/share/slipway/images";
  std::chrono::milliseconds agent_interval{1000};
  std::map<std::string, std::string> runtime_images;                 ///< "python" -> base image
  std::map<std::string, std::string> runtime_build_images;           ///< of build stages: node, cpp
  std::map<std::string, std::vector<std::string>> runtime_versions;  ///< that may be asked for; none: any
  std::string ca_bundle_file;
  std::chrono::milliseconds build_deadline{900'000};
  std::string secrets_key_file;  ///< empty: secrets can neither be set nor delivered
  std::chrono::milliseconds reconcile_period{10'000};
  std::chrono::milliseconds orphans_after{50'000};
};

/// Reads the file (a path, or nothing for the default place, which need not exist) and the environment over
/// it. Errors name file:line:column or the variable, and the nearest known key. `environment` holds all
/// variables.
Result<ServerSettings> load_settings(const std::string& path,
                                     const std::map<std::string, std::string>& environment);

/// The same for a text; what load_settings is tested by.
Result<ServerSettings> parse_settings(const std::string& file_name, const std::string& text,
                                      const std::map<std::string, std::string>& environment);

/// Every key that a settings file may have, sorted; `*` stands for a name of the user's.
std::vector<std::string> known_settings();

}  // namespace slipway
