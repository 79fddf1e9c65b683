#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cli/session.hpp"

// What each command was asked for, and the command. Each returns the exit code.
namespace slipway::cli {

int validate(Session& session, const std::string& folder);

struct InitOptions {
  std::string folder = ".";
  std::string name;     ///< empty: the folder's
  std::string runtime;  ///< empty: what its files say
  std::string command;  ///< the same
};
/// Writes a service.yaml into a folder that has none.
int init(Session& session, const InitOptions& options);

struct DeployOptions {
  std::string folder;   ///< of this machine, or
  std::string path;     ///< in the Repository
  std::string service;  ///< with `path`, where its first part is not the name
  std::string machine;  ///< empty: the Scheduler decides
  std::chrono::milliseconds timeout{30 * 60'000};
};
int deploy(Session& session, const DeployOptions& options);

struct WishOptions {
  std::string service;
  std::string action;  ///< stop start restart rollback remove
  std::optional<std::int64_t> release;
  std::chrono::milliseconds timeout{30 * 60'000};
};
int wish(Session& session, const WishOptions& options);
int follow_request(Session& session, const std::string& request_id);
int cancel_request(Session& session, const std::string& request_id);

int list_failpoints(Session& session);

int status(Session& session);
int doctor(Session& session);
/// Compares everything with the journal: `doctor --check`.
int check(Session& session);

struct LogOptions {
  std::string service;
  bool follow = false;
  std::size_t tail = 100;
};
int logs(Session& session, const LogOptions& options);

struct ShowOptions {
  std::string service;
  bool dockerfile = false;
};
int show(Session& session, const ShowOptions& options);

struct MessagesOptions {
  bool follow = false;
  std::chrono::milliseconds span{5'000};  ///< without `follow`
  std::vector<std::string> topics;        ///< parts of names; empty: all
};
int messages_command(Session& session, const MessagesOptions& options);

struct MachineOptions {
  std::string name;
  std::string endpoint;             ///< unix:///..., tcp://host:port
  std::string tls;                  ///< name of credentials
  std::vector<std::string> labels;  ///< key=value
};
int machine_add(Session& session, const MachineOptions& options);
int machine_label(Session& session, const MachineOptions& options);
int machine_remove(Session& session, const std::string& name);
int machine_list(Session& session);
int machine_show(Session& session, const std::string& name);

struct SensorOptions {
  std::string id, type, location, rate, topic;
  std::vector<std::string> fields;  ///< name=unit
  bool simulated = false;
};
int sensor_add(Session& session, const SensorOptions& options);
int sensor_simulate(Session& session, const SensorOptions& options);
int sensor_remove(Session& session, const std::string& id);
int sensor_list(Session& session);
int sensor_show(Session& session, const std::string& id);

struct SecretOptions {
  std::string name;
  std::string file;  ///< holds the value; empty or "-": standard input
};
int secret_set(Session& session, const SecretOptions& options);
int secret_list(Session& session);
int secret_remove(Session& session, const std::string& name);

/// Asks on a terminal; without one, or with another answer than yes, kConflict not_confirmed. --yes: no
/// question.
Status confirm(Session& session, const std::string& question);

/// "key=value" words as a map; kInvalid `usage` for one without '='.
Result<std::vector<std::pair<std::string, std::string>>> read_pairs(const std::vector<std::string>& words,
                                                                    std::string_view what);

}  // namespace slipway::cli
