#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/secret_box.hpp"
#include "meta_file/read.hpp"

namespace slipway::deployment_manager {

/// The agent's image as the build made it, for one architecture.
struct AgentImage {
  std::string archive;       ///< path of agent-<arch>.tar
  std::string reference;     ///< "slipway/agent:0.1.0-3f9c02ab41de"
  std::string version;       ///< "0.1.0"
  std::string probe_digest;  ///< names the volume that carries the probe
};

struct Settings {
  std::string instance = "default";  ///< label of everything that this installation makes on machines
  std::string owner;                 ///< this deployer; proven unique by a lock in state_dir, else random

  std::string services_kafka;          ///< bootstrap servers given to services
  std::string agents_kafka;            ///< and to agents
  std::string services_kafka_options;  ///< further lines of /run/slipway/kafka.properties
  std::string agents_kafka_options;
  std::string stats_topic;

  std::vector<std::string> allowed_roots;    ///< folders below which file:///... may be read
  std::map<std::string, AgentImage> agents;  ///< by architecture: amd64, arm64
  std::map<std::string, std::string>
      runtime_bases;  ///< runtime -> base image: "python" -> "slipway/python:3.11"
  std::map<std::string, std::string>
      runtime_toolchains;  ///< runtime -> image of its build stage, where that is another one
  std::string ca_bundle;   ///< PEM, given to build stages; empty: none
  meta_file::Policy meta_policy;
  std::optional<SecretBox> secret_box;  ///< opens secrets; none: services that need some are refused

  std::chrono::milliseconds agent_interval{1000};
  std::chrono::seconds lease_beat{5};       ///< an owner raises its lease this often
  std::chrono::seconds lease_patience{30};  ///< unchanged for so long: taken over; at least 3 beats
  std::chrono::seconds reconcile_period{10};
  std::chrono::seconds orphan_patience{50};  ///< probes and ended build steps that are there for so long go
  std::chrono::seconds build_deadline{900};  ///< of one build, with the transfer of its context
  std::chrono::seconds sensor_patience{60};  ///< for the Sensor Manager's answer
  std::chrono::seconds placement_patience{60};
  std::chrono::seconds look_for_strays{10};  ///< requests that were stored and never queued
  std::size_t most_active = 16;              ///< deployments worked on at once
  std::size_t most_per_machine = 4;          ///< of these on one machine
};

}  // namespace slipway::deployment_manager
